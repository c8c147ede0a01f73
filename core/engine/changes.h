#pragma once
// Changes as texts: an edit as --edit writes it, or "attention window=64 sinks=4" for what --attention
// writes.
#include "core/engine/engine.h"

namespace vitrine::engine {

/// Whether a text is an attention policy, not an edit.
bool is_policy(std::string_view text);

/// Reads them for a model, with what they name behind '@'. usage, or what the model cannot do of them; two
/// policies at once.
Result<Changes> read_changes(const OpenModel& model, tokenizer::Specials specials,
                             const std::vector<std::string>& texts);

/// What is wrong with one such text, before a run is made with it; `model` nullptr: none is open.
Status check_change(const OpenModel* model, const std::string& text);

/// The texts of a recorded run.
std::vector<std::string> texts_of(const run::RunSpec& spec);

} // namespace vitrine::engine
