#pragma once
#include <filesystem>
#include <vector>

#include "core/base/dtype.h"
#include "core/engine/engine.h"

namespace vitrine::cli {

/// Writes the captures and tokens of a run, one group a row.
Status write_captures(const std::filesystem::path& file, const engine::OpenModel& model,
                      const engine::RunRecord& record, DType stored);

/// The same for a generation: each step's values one under another along the query's axis, which is that of
/// the positions the tokens were drawn at. Keys that a step does not see are 0 in patterns, −inf in scores,
/// as in a run over the whole text.
Status write_captures(const std::filesystem::path& file, const engine::OpenModel& model,
                      const engine::GenerateRecord& record, DType stored);

/// The captures of a generated row as such stacks.
std::vector<run::Captured> stacked_captures(const run::GeneratedRow& row);

} // namespace vitrine::cli
