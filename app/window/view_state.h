#pragma once
// Reads what sessions and figures keep of the screen. What is missing or of another kind counts as empty: a
// damaged state opens as far as it goes.
#include <QStringList>

#include "app/window/runner.h"
#include "core/base/json.h"

namespace vitrine::window {

/// A member by its name; null: there is none.
const Json& part(const Json& json, const char* name);
QString text_in(const Json& json, const char* name);
std::int64_t number_in(const Json& json, const char* name); ///< 0: there is none
QStringList texts_in(const Json& json);
std::vector<std::int32_t> ids_in(const Json& json);
/// {"chat", "specials"}
TextForm form_in(const Json& state);
/// [{"text", "on"}]
std::vector<views::Edit> edits_in(const Json& json);
/// [{"name", "edits"}]
std::vector<views::EditSet> edit_sets_in(const Json& json);

Json json_of(const std::vector<views::Edit>& edits);
Json json_of(const std::vector<views::EditSet>& sets);
Json json_of(const QStringList& texts);
std::vector<std::int32_t> ids_of(const views::ShownRun& run);

} // namespace vitrine::window
