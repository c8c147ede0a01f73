#pragma once
// Interventions as they are written in the window, read for a model.
#include <QStringList>

#include "core/engine/engine.h"

namespace vitrine::window {

/// What an analysis or a run is given. The texts that edits take from elsewhere are read too.
Result<engine::Changes> changes_of(const engine::OpenModel& model, const QStringList& texts,
                                   tokenizer::Specials specials);

/// Why the model cannot take it, in a sentence; empty: it can. Without a model only the form is checked.
QString problem_of_edit(const engine::OpenModel* model, const QString& text);

/// The texts of a recorded run.
QStringList texts_of(const run::RunSpec& spec);

} // namespace vitrine::window
