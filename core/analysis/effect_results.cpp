#include "core/analysis/effect_results.h"

#include <algorithm>
#include <cmath>

#include "core/analysis/statistics.h"

namespace vitrine::analysis {

std::optional<sdk::Failure> chosen_layers(const sdk::Start& start, const char* parameter,
                                          std::vector<int>& layers) {
    const int count = start.model.layers;
    const auto chosen = start.positions(parameter, count);
    if (!chosen || chosen->empty())
        return sdk::Failure{"out-of-range", std::string("A layer of ") + parameter + "=" +
                                                start.parameters.at(parameter).dump() +
                                                " is not there: the model has " + std::to_string(count) +
                                                " layers, counted from 0."};
    layers = *chosen;
    std::sort(layers.begin(), layers.end());
    layers.erase(std::unique(layers.begin(), layers.end()), layers.end());
    return std::nullopt;
}

sdk::Axis layer_axis(const std::vector<int>& layers, const sdk::ModelFacts& model) {
    sdk::Axis axis{"layer", static_cast<std::int64_t>(layers.size()), {}};
    if (static_cast<int>(layers.size()) < model.layers)
        for (const int layer : layers)
            axis.labels.push_back("L" + std::to_string(layer));
    return axis;
}

sdk::Json summary_line(const char* what, std::vector<double> changes) {
    std::erase_if(changes, [](double change) { return std::isnan(change); });
    double largest = changes.empty() ? std::nan("") : 0;
    for (const double change : changes)
        largest = std::max(largest, std::abs(change));
    return {{"measured", what},
            {"mean", mean_of(changes)},
            {"deviation", deviation_of(changes)},
            {"largest", largest},
            {"places", changes.size()}};
}

} // namespace vitrine::analysis
