// What `ablate` tells of its numbers.
#include <algorithm>
#include <cmath>
#include <numeric>
#include <utility>

#include "core/analysis/ablate.h"
#include "core/analysis/effect_results.h"
#include "core/analysis/statistics.h"

namespace vitrine::analysis {

namespace {

constexpr std::size_t listed = 20;

std::vector<double> means_of(const std::vector<std::vector<double>>& lists) {
    std::vector<double> means;
    for (const auto& list : lists)
        means.push_back(mean_of(list));
    return means;
}

/// By component: one number a draw, the mean over prompts.
std::vector<std::vector<double>> by_draw(const std::vector<std::vector<std::vector<double>>>& controls) {
    std::vector<std::vector<double>> draws;
    for (const auto& control : controls) {
        draws.emplace_back();
        for (const auto& draw : control)
            if (!draw.empty()) draws.back().push_back(mean_of(draw));
    }
    return draws;
}

std::vector<double> deviations_of(const std::vector<std::vector<double>>& lists) {
    std::vector<double> deviations;
    for (const auto& list : lists)
        deviations.push_back(deviation_of(list));
    return deviations;
}

} // namespace

sdk::ResultData Ablate::shaped(const std::string& name, const std::vector<double>& values) const {
    const bool within = site_ == "heads" || site_ == "neurons";
    std::vector<sdk::Axis> axes{layer_axis(layers_, start_->model)};
    if (within) axes.push_back({site_ == "heads" ? "head" : "neuron", count_, {}});
    auto result = sdk::ResultData::array(name, within ? "matrix" : "series", std::move(axes));
    std::copy(values.begin(), values.end(), result.data.begin());
    return result;
}

sdk::Json Ablate::summary() const {
    sdk::Json lines = sdk::Json::array();
    lines.push_back(summary_line("effect", means_of(effects_)));
    if (draws_ > 0)
        lines.push_back(summary_line("random vector of equal norm", means_of(by_draw(controls_))));
    if (unrelated_ > 0) lines.push_back(summary_line("unrelated prompts", means_of(unrelated_effects_)));
    return lines;
}

sdk::Json Ablate::top() const {
    const auto effects = means_of(effects_), unrelated = means_of(unrelated_effects_);
    const auto draws = by_draw(controls_);
    std::vector<std::size_t> order(components_.size());
    std::iota(order.begin(), order.end(), std::size_t{0});
    std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
        return std::abs(effects[a]) > std::abs(effects[b]);
    });
    order.resize(std::min(order.size(), listed));
    const std::string letter = site_ == "heads" ? "H" : site_ == "neurons" ? "N" : "";
    sdk::Json lines = sdk::Json::array();
    for (const std::size_t at : order) {
        const Component& component = components_[at];
        const std::string layer = std::to_string(component.layer);
        const std::string name = site_ == "mlps"    ? "M" + layer
                                 : site_ == "attns" ? "A" + layer
                                                    : "L" + layer + letter + std::to_string(component.index);
        lines.push_back({{"component", name},
                         {"effect", effects[at]},
                         {"deviation", deviation_of(effects_[at])},
                         {"control", mean_of(draws[at])},
                         {"control_deviation", deviation_of(draws[at])},
                         {"unrelated", unrelated[at]}});
    }
    return lines;
}

sdk::Json Ablate::correlations() const {
    sdk::Json lines = sdk::Json::array();
    const auto effects = means_of(effects_);
    std::vector<double> sizes;
    for (const double effect : effects)
        sizes.push_back(std::abs(effect));
    const auto add = [&](const char* what, const std::vector<std::vector<double>>& attention) {
        if (attention.empty() || attention.front().empty()) return;
        const auto means = means_of(attention);
        lines.push_back({{"attention", what},
                         {"rho", spearman(means, effects)},
                         {"rho_size", spearman(means, sizes)},
                         {"heads", means.size()},
                         {"prompts", attention.front().size()}});
    };
    add("to the first key", to_first_);
    add("from the metric's position to the answer", to_answer_);
    return lines;
}

std::string Ablate::note() const {
    std::string text = std::to_string(prompts_.size()) +
                       (prompts_.size() == 1 ? " prompt" : " prompts of equal weight") + ", kind " + kind_ +
                       ", metric " + metric_.name() + ".";
    if (const std::size_t left = start_->rows.size() - prompts_.size(); left > 0)
        text += " " + std::to_string(left) + " corrupted rows of pairs are left out.";
    if (unrelated_ > 0)
        text += " Unrelated prompts are random ids of the prompt's length, with the same metric.";
    if (draws_ == 0) text += " Without a control: draws is 0.";
    return text;
}

sdk::Done Ablate::done() const {
    sdk::Done done;
    done.results.push_back(shaped("effect", means_of(effects_)));
    done.results.push_back(sdk::ResultData::number("clean", mean_of(clean_)));
    if (draws_ > 0) {
        const auto draws = by_draw(controls_);
        done.results.push_back(shaped("control", means_of(draws)));
        done.results.push_back(shaped("control_deviation", deviations_of(draws)));
    }
    if (unrelated_ > 0) done.results.push_back(shaped("unrelated", means_of(unrelated_effects_)));
    if (prompts_.size() > 1) done.results.push_back(shaped("effect_deviation", deviations_of(effects_)));
    done.results.push_back(sdk::ResultData::table("summary", summary()));
    done.results.push_back(sdk::ResultData::table("largest", top()));
    if (site_ == "heads") done.results.push_back(sdk::ResultData::table("correlation", correlations()));
    if (auto table = reference_.resampled()) done.results.push_back(std::move(*table));
    done.results.push_back(sdk::ResultData::text("note", note()));
    return done;
}

} // namespace vitrine::analysis
