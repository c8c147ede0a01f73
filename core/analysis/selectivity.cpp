#include "core/analysis/selectivity.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <utility>

#include "core/analysis/statistics.h"

namespace vitrine::analysis {

sdk::Manifest Selectivity::manifest() {
    sdk::Manifest manifest("selectivity", "Which components one task needs and another does not");
    manifest
        .summary("Each component is ablated alone, at all positions, on two sets of prompts: the given ones "
                 "(A) and those of `other` (B). selectivity = change of the metric on A − change on B: "
                 "negative where A suffers more. The interval is a bootstrap over the prompts of each set: "
                 "where it holds 0, nothing is shown.")
        .citation("Disentangling Recall and Reasoning; bootstrap interval: own")
        .rows("other", "the second set of prompts, written @FILE")
        .choice("site", {"heads", "mlps", "attns"}, "what is ablated")
        .choice("kind", {"zero", "mean", "position-mean", "resample"}, "what comes in its place")
        .rows("reference", "texts of mean, position-mean and resample, written @FILE; without: both sets");
    Metric::declare(manifest, {{"accuracy", "the share of prompts whose likeliest token is an answer"}});
    return manifest.integer("samples", 1000, "draws of the bootstrap", 10, 100000)
        .number("confidence", 0.95, "share of the draws that the interval holds", 0.01, 0.999)
        .integer("seed", 0, "of bootstrap and resample", 0)
        .result("selectivity", "series", "change on A − change on B: layer × head, or by layer")
        .result("low", "series", "lower end of its interval")
        .result("high", "series", "upper end of its interval")
        .result("change_a", "series", "metric ablated − clean on A, mean over prompts")
        .result("change_b", "series", "the same on B")
        .result("clean", "table", "set, prompts, and the metric without any change")
        .result("selective", "table", "components whose interval leaves 0 out, largest first")
        .result("resampled", "table", resampled_doc)
        .result("note", "text", "ablation, metric, bootstrap");
}

std::optional<sdk::Failure> Selectivity::choose() {
    site_ = start_->text("site");
    kind_ = start_->text("kind");
    random_.seed(static_cast<std::uint64_t>(start_->integer("seed")));
    if (!start_->given("other"))
        return sdk::Failure{"usage", "selectivity compares two sets of prompts: give the second one by "
                                     "other=@FILE."};
    prompts_ = uncorrupted(start_->rows);
    first_ = prompts_.size();
    const auto other = uncorrupted(start_->rows_of("other"));
    prompts_.insert(prompts_.end(), other.begin(), other.end());
    if (first_ < 2 || prompts_.size() - first_ < 2)
        return sdk::Failure{"usage", "A bootstrap needs at least two prompts in each set: give more."};
    if (auto failure = metric_.read(*start_, prompts_)) return failure;
    const sdk::ModelFacts& model = start_->model;
    count_ = site_ == "heads" ? model.heads : 1;
    if (kind_ == "zero") return std::nullopt;
    std::vector<std::string> hooks;
    for (int layer = 0; layer < model.layers; ++layer)
        hooks.push_back(hook(layer));
    const int width = site_ == "heads" ? model.heads * model.d_head : model.d_model;
    return reference_.choose(kind_, false,
                             start_->given("reference") ? start_->rows_of("reference") : prompts_, prompts_,
                             std::move(hooks), std::int64_t{width} * model.layers, random_());
}

std::string Selectivity::hook(int layer) const {
    const char* const name = site_ == "heads"  ? ".attn.hook_z"
                             : site_ == "mlps" ? ".hook_mlp_out"
                                               : ".hook_attn_out";
    return "blocks." + std::to_string(layer) + name;
}

sdk::Reply Selectivity::start(const sdk::Start& start) {
    start_ = &start;
    if (auto failure = choose()) return *failure;
    return next();
}

sdk::Reply Selectivity::next() {
    sdk::Need need;
    if (kind_ != "zero" && !reference_.complete()) {
        need.runs = {reference_.run()};
        return need;
    }
    if (prompt_ == prompts_.size()) return done();
    if (!sweeping_) begin_sweep();
    need.runs = {sweep_.run()};
    need.progress = (static_cast<double>(prompt_) + sweep_.share()) / static_cast<double>(prompts_.size());
    return need;
}

void Selectivity::begin_sweep() {
    sweeping_ = true;
    sdk::NamedArrays arrays;
    std::vector<SweepItem> items;
    for (int layer = 0; layer < start_->model.layers; ++layer) {
        const std::string value = "value" + std::to_string(layer);
        if (kind_ != "zero") arrays[value] = reference_.values(static_cast<std::size_t>(layer), prompt_);
        for (int index = 0; index < count_; ++index) {
            const std::string head = site_ == "heads" ? "head=" + std::to_string(index) + " " : "";
            items.push_back({0, layer, {{hook(layer), head + (kind_ == "zero" ? "zero" : "set @" + value)}}});
        }
    }
    sweep_ = Sweep(start_->model, metric_, static_cast<int>(prompt_), {{prompts_[prompt_], 0}},
                   std::move(items), std::move(arrays));
}

sdk::Reply Selectivity::step(const sdk::Answer& answer) {
    if (!sweeping_) {
        reference_.take(answer);
        return next();
    }
    sweep_.take(answer);
    if (!sweep_.done()) return next();
    clean_.push_back(sweep_.bases()[0]);
    changes_.push_back(sweep_.values());
    for (double& change : changes_.back())
        change -= clean_.back();
    sweeping_ = false;
    ++prompt_;
    return next();
}

/// Mean change over one set.
double Selectivity::change(std::size_t component, bool second) const {
    const std::size_t begin = second ? first_ : 0, end = second ? prompts_.size() : first_;
    double sum = 0;
    for (std::size_t prompt = begin; prompt < end; ++prompt)
        sum += changes_[prompt][component];
    return sum / static_cast<double>(end - begin);
}

/// The same over as many prompts of the set, drawn with replacement.
double Selectivity::drawn(std::size_t component, bool second) {
    const std::size_t begin = second ? first_ : 0, count = second ? prompts_.size() - first_ : first_;
    double sum = 0;
    for (std::size_t i = 0; i < count; ++i)
        sum += changes_[begin + random_() % count][component];
    return sum / static_cast<double>(count);
}

sdk::ResultData Selectivity::shaped(const std::string& name, const std::vector<double>& values) const {
    std::vector<sdk::Axis> axes{{"layer", start_->model.layers, {}}};
    if (site_ == "heads") axes.push_back({"head", count_, {}});
    auto result = sdk::ResultData::array(name, axes.size() > 1 ? "matrix" : "series", axes);
    result.data = values;
    return result;
}

sdk::Done Selectivity::done() {
    const std::size_t components = changes_.front().size();
    const auto samples = static_cast<std::size_t>(start_->integer("samples"));
    const double outside = (1 - start_->number("confidence")) / 2;
    const auto at = [&](double share) {
        return static_cast<std::size_t>(std::lround(share * static_cast<double>(samples - 1)));
    };
    std::vector<double> selectivity, low, high, a, b;
    for (std::size_t component = 0; component < components; ++component) {
        a.push_back(change(component, false));
        b.push_back(change(component, true));
        selectivity.push_back(a.back() - b.back());
        std::vector<double> draws;
        for (std::size_t i = 0; i < samples; ++i) {
            const double of_a = drawn(component, false);
            draws.push_back(of_a - drawn(component, true));
        }
        std::sort(draws.begin(), draws.end());
        low.push_back(draws[at(outside)]);
        high.push_back(draws[at(1 - outside)]);
    }
    std::vector<std::size_t> order(components);
    std::iota(order.begin(), order.end(), std::size_t{0});
    std::stable_sort(order.begin(), order.end(), [&](std::size_t i, std::size_t j) {
        return std::abs(selectivity[i]) > std::abs(selectivity[j]);
    });
    sdk::Json selective = sdk::Json::array();
    for (const std::size_t i : order) {
        if (low[i] <= 0 && high[i] >= 0) continue;
        const auto layer = i / static_cast<std::size_t>(count_), head = i % static_cast<std::size_t>(count_);
        const std::string name = site_ == "heads" ? "L" + std::to_string(layer) + "H" + std::to_string(head)
                                                  : (site_ == "mlps" ? "M" : "A") + std::to_string(layer);
        selective.push_back({{"component", name},
                             {"selectivity", selectivity[i]},
                             {"low", low[i]},
                             {"high", high[i]},
                             {"change_a", a[i]},
                             {"change_b", b[i]}});
    }
    const auto split = clean_.begin() + static_cast<std::ptrdiff_t>(first_);
    sdk::Json clean = sdk::Json::array();
    clean.push_back({{"set", "A"}, {"prompts", first_}, {"metric", mean_of({clean_.begin(), split})}});
    clean.push_back(
        {{"set", "B"}, {"prompts", prompts_.size() - first_}, {"metric", mean_of({split, clean_.end()})}});
    sdk::Done done;
    for (const auto& [name, values] : {std::pair{"selectivity", &selectivity},
                                       {"low", &low},
                                       {"high", &high},
                                       {"change_a", &a},
                                       {"change_b", &b}})
        done.results.push_back(shaped(name, *values));
    done.results.push_back(sdk::ResultData::table("clean", std::move(clean)));
    done.results.push_back(sdk::ResultData::table("selective", std::move(selective)));
    if (auto table = reference_.resampled()) done.results.push_back(std::move(*table));
    done.results.push_back(sdk::ResultData::text(
        "note", "Ablation " + kind_ + ", metric " + metric_.name() + ", " + std::to_string(samples) +
                    " draws of the bootstrap, prompts of each set drawn with replacement, interval of " +
                    sdk::Json(start_->number("confidence")).dump() + "."));
    return done;
}

} // namespace vitrine::analysis
