#pragma once
// What the analyses of causes have in common: layers that are chosen, and tables of effects.
#include <optional>
#include <string>
#include <vector>

#include "core/sdk/input.h"
#include "core/sdk/output.h"

namespace vitrine::analysis {

/// The layers of a parameter of type positions, ascending, each once; out-of-range if one is not there.
std::optional<sdk::Failure> chosen_layers(const sdk::Start& start, const char* parameter,
                                          std::vector<int>& layers);

/// An axis over these layers; labelled where some are left out.
sdk::Axis layer_axis(const std::vector<int>& layers, const sdk::ModelFacts& model);

/// {"measured","mean","deviation","largest","places"} of changes of a metric, those without a value left out;
/// largest by size.
sdk::Json summary_line(const char* what, std::vector<double> changes);

} // namespace vitrine::analysis
