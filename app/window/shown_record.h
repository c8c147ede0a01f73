#pragma once
// What a run of the window asks of the engine, and the record of it as views read it.
#include "app/window/bench.h"
#include "views/shared/shown_run.h"

namespace vitrine::window {

/// Everything that one run of the window captures: patterns, or where all of them would take too much, the
/// queries and keys that they are recomputed from.
run::RunSpec spec_of(const model::ModelSpec& model, const run::RunRow& row,
                     const engine::Changes& changes = {});

/// A token of the vocabulary as pictures show it.
figure::Token token_of(const engine::OpenModel& model, std::int32_t id);

/// The run that lies in a record, whose captures it takes.
views::RunPtr run_of(const std::shared_ptr<engine::OpenModel>& model, engine::RunRecord& record,
                     const QString& prompt);

} // namespace vitrine::window
