#pragma once
// An analysis of what the desk shows: of A, of B, or of both and their difference.
#include "app/window/runner.h"

namespace vitrine::window {

/// A run as an analysis takes it; without tokens: what an analysis of the model alone takes.
struct AnalysedSide {
    run::RunRow row;
    QStringList edits;
};

AnalysedSide side_of(const views::ShownRun& run);

/// One, or A and B for their difference; empty: there is nothing to analyse.
std::vector<AnalysedSide> analysed_sides(const views::Desk& desk);

/// On the device thread. `set`: rows in place of the sides' own; empty: their own. Of two sides the results
/// are A's minus B's, named NAME_difference, with B's provenance under "minus". `record`: each as a step of
/// the session.
Result<engine::AnalysisRecord>
analyse_sides(engine::Engine& engine, engine::OpenModel& model, const std::string& id, const Json& values,
              const std::vector<AnalysedSide>& sides, const std::vector<run::RunRow>& set,
              tokenizer::Specials specials, const CancelToken& cancel, const Progress& progress, bool record);

/// The command lines that give the same, one a line. `options`: what stands after, " --set k=v".
QString command_of_sides(const engine::OpenModel& model, const std::vector<AnalysedSide>& sides,
                         const QString& id, const QString& options);

} // namespace vitrine::window
