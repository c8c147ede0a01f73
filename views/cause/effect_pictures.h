#pragma once
// Effects of changes and their controls.
#include "core/engine/results.h"
#include "views/figure/picture.h"

namespace vitrine::views {

/// The map of an analysis of causes beside that of its control, in the same colours around the unchanged
/// metric; nullptr where there is no effect among the results.
figure::PicturePtr effects_picture(const std::vector<engine::ResultValue>& results, const Json& parameters,
                                   const figure::Theme& theme);

/// Faithfulness and completeness of a circuit by its number of members, beside random circuits of the same
/// size; nullptr where these are not among the results.
figure::PicturePtr circuit_picture(const std::vector<engine::ResultValue>& results);

/// Components whose loss takes most from the metric, from ablate's table "largest": of those that have a
/// share in it, not of those that stand against it.
std::vector<std::string> strongest(const std::vector<engine::ResultValue>& results, const std::string& metric,
                                   std::size_t count);

} // namespace vitrine::views
