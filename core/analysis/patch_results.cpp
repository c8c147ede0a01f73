// What `patch` tells of its numbers.
#include <algorithm>
#include <cmath>
#include <utility>

#include "core/analysis/effect_results.h"
#include "core/analysis/patch.h"
#include "core/analysis/statistics.h"

namespace vitrine::analysis {

namespace {

/// By place: `of` the numbers of all lists.
std::vector<double> over(const std::vector<std::vector<double>>& lists,
                         double (*of)(const std::vector<double>&)) {
    std::vector<double> out;
    for (std::size_t place = 0; place < lists.front().size(); ++place) {
        std::vector<double> values;
        for (const auto& list : lists)
            values.push_back(list[place]);
        out.push_back(of(values));
    }
    return out;
}

std::vector<double> minus(std::vector<double> values, double base) {
    for (double& value : values)
        value -= base;
    return values;
}

} // namespace

std::vector<sdk::Axis> Patch::axes() const {
    const sdk::Axis layers = layer_axis(layers_, start_->model);
    const sdk::Row& row = (denoise_ ? pairs_.corrupted : pairs_.clean).front();
    sdk::Axis positions{"pos", row.size(), {}};
    if (pairs_.size() == 1) positions.labels = row.tokens;
    const sdk::Axis heads{"head", heads_, {}};
    if (axes_ == "layer,head") return {layers, heads};
    return axes_ == "layer,pos" ? std::vector{layers, positions} : std::vector{positions, heads};
}

sdk::ResultData Patch::shaped(const std::string& name, const std::vector<double>& values, bool by_row) const {
    auto all = axes();
    if (by_row) all.insert(all.begin(), {"row", pairs_.size(), {}});
    auto result = sdk::ResultData::array(name, "matrix", std::move(all));
    std::copy(values.begin(), values.end(), result.data.begin());
    return result;
}

sdk::Json Patch::summary() const {
    const double base = mean_of(denoise_ ? corrupted_ : clean_);
    sdk::Json lines = sdk::Json::array();
    lines.push_back(summary_line("patch", minus(over(effects_, mean_of), base)));
    std::vector<std::vector<double>> controls;
    for (const auto& draw : controls_)
        controls.push_back(over(draw, mean_of));
    if (draws_ > 0)
        lines.push_back(summary_line("random vector of equal norm", minus(over(controls, mean_of), base)));
    if (unrelated_ > 0) lines.push_back(summary_line("unrelated prompts", over(unrelated_effects_, mean_of)));
    return lines;
}

std::string Patch::note() const {
    std::string text = describe(pairs_) + " Site " + site_ + ", " +
                       (denoise_ ? "clean into corrupted" : "corrupted into clean") + ", metric " +
                       metric_.name() + ".";
    if (draws_ == 0) text += " Without a control: draws is 0.";
    return text;
}

sdk::Done Patch::done() const {
    const double clean = mean_of(clean_), corrupted = mean_of(corrupted_);
    const auto effects = over(effects_, mean_of);
    auto ratios = effects;
    for (double& ratio : ratios)
        ratio = normalised(ratio, clean, corrupted);
    sdk::Done done;
    done.results.push_back(shaped("effect", effects));
    done.results.push_back(shaped("normalised", ratios));
    done.results.push_back(sdk::ResultData::number("clean", clean));
    done.results.push_back(sdk::ResultData::number("corrupted", corrupted));
    if (draws_ > 0) {
        std::vector<std::vector<double>> draws;
        for (const auto& draw : controls_)
            draws.push_back(over(draw, mean_of));
        done.results.push_back(shaped("control", over(draws, mean_of)));
        if (draws_ > 1) done.results.push_back(shaped("control_deviation", over(draws, deviation_of)));
    }
    if (unrelated_ > 0) done.results.push_back(shaped("unrelated", over(unrelated_effects_, mean_of)));
    if (pairs_.size() > 1) {
        done.results.push_back(shaped("effect_deviation", over(effects_, deviation_of)));
        std::vector<double> rows;
        for (const auto& effects_of_row : effects_)
            rows.insert(rows.end(), effects_of_row.begin(), effects_of_row.end());
        done.results.push_back(shaped("rows", rows, true));
    }
    done.results.push_back(sdk::ResultData::table("summary", summary()));
    done.results.push_back(sdk::ResultData::text("note", note()));
    return done;
}

} // namespace vitrine::analysis
