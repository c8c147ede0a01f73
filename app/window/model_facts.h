#pragma once
// What the Model page shows, as results: tables that are drawn, exported and copied as any other.
#include <QString>
#include <vector>

#include "core/engine/engine.h"

namespace vitrine::window {

/// Tables `model`, `self_check` (if there is one), `memory` by part and `weights` by shape.
std::vector<engine::ResultValue> model_facts(const engine::OpenModel& model, const engine::SelfCheck* check);

/// The self-check in one sentence.
QString words_of(const engine::SelfCheck& check);

} // namespace vitrine::window
