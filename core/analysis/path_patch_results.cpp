// What `path-patch` tells of its numbers.
#include <utility>

#include "core/analysis/axes.h"
#include "core/analysis/path_patch.h"
#include "core/analysis/statistics.h"

namespace vitrine::analysis {

std::string PathPatch::note() const {
    std::string text = describe(pairs_) + " From every head and MLP to ";
    const auto names = start_->parameters.at("receiver").get<std::vector<std::string>>();
    for (const std::string& name : names)
        text += (&name == &names.front() ? "" : ", ") + name;
    text += ", ";
    text += noise_ ? "corrupted into clean" : "clean into corrupted";
    text += freeze_mlps_ ? ", every other head and MLP frozen" : ", every other head frozen, MLPs not";
    text += ", metric " + metric_.name() + ".";
    if (draws_ == 0) text += " Without a control: draws is 0.";
    return text;
}

sdk::Done PathPatch::done() const {
    const double base = mean_of(base_), other = mean_of(other_);
    const sdk::ModelFacts& model = start_->model;
    const auto heads_named = [&](const char* name) {
        return sdk::ResultData::array(name, "matrix", {{"layer", model.layers}, {"head", model.heads}});
    };
    const auto mlps_named = [&](const char* name) {
        return sdk::ResultData::array(name, "series", {{"layer", model.layers}});
    };
    auto heads = heads_named("effect"), ratios = heads_named("normalised"), control = heads_named("control");
    auto mlps = mlps_named("mlps"), control_mlps = mlps_named("control_mlps");
    auto rows = sdk::ResultData::array(
        "rows", "matrix", {{"row", pairs_.size()}, {"layer", model.layers}, {"head", model.heads}});
    for (std::size_t at = 0; at < senders_.size(); ++at) {
        const Node& sender = senders_[at];
        std::vector<double> effects, controls;
        for (const auto& of_pair : effects_) {
            effects.push_back(of_pair[at]);
            for (int draw = 0; draw < draws_; ++draw)
                controls.push_back(of_pair[at + static_cast<std::size_t>(draw + 1) * senders_.size()]);
        }
        if (sender.head < 0) {
            mlps(sender.layer) = mean_of(effects);
            control_mlps(sender.layer) = mean_of(controls);
            continue;
        }
        heads(sender.layer, sender.head) = mean_of(effects);
        ratios(sender.layer, sender.head) = normalised(base + mean_of(effects), other, base);
        control(sender.layer, sender.head) = mean_of(controls);
        for (int pair = 0; pair < pairs_.size(); ++pair)
            rows(pair, sender.layer, sender.head) = effects[static_cast<std::size_t>(pair)];
    }
    sdk::Done done;
    done.results = {std::move(heads), std::move(mlps), std::move(ratios),
                    sdk::ResultData::number("clean", noise_ ? base : other),
                    sdk::ResultData::number("corrupted", noise_ ? other : base)};
    if (draws_ > 0) {
        done.results.push_back(std::move(control));
        done.results.push_back(std::move(control_mlps));
    }
    if (pairs_.size() > 1) done.results.push_back(std::move(rows));
    done.results.push_back(sdk::ResultData::text("note", note()));
    return done;
}

} // namespace vitrine::analysis
