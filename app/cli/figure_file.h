#pragma once
#include <filesystem>

#include "core/engine/engine.h"

namespace vitrine::cli {

/// usage unless the suffix is one that figures are written as.
Status check_figure_suffix(const std::filesystem::path& file);

/// Draws all results of an analysis into a file, in the light theme.
Status write_figure(const std::filesystem::path& file, const engine::AnalysisRecord& record);

} // namespace vitrine::cli
