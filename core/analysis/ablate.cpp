#include "core/analysis/ablate.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <utility>

#include "core/analysis/budget.h"
#include "core/analysis/control_vectors.h"
#include "core/analysis/effect_results.h"
#include "core/analysis/statistics.h"

namespace vitrine::analysis {

namespace {

constexpr int neurons_with_control = 4; // of each layer

} // namespace

sdk::Manifest Ablate::manifest() {
    sdk::Manifest manifest("ablate", "What each component does: taken away alone");
    manifest
        .summary("Each head, attention layer, MLP or neuron is replaced, one at a time and at all positions, "
                 "and the metric is measured again: effect = metric ablated − metric clean, mean over "
                 "prompts of equal weight. zero: by nothing; mean: by its mean over every token of the "
                 "reference; position-mean: by its mean at each position; resample: by its values in "
                 "another text of the reference. heads changes hook_z, so that the output's bias stays. The "
                 "controls beside it: a random vector of the same norm as the change, added at the same "
                 "place, and the same ablation on prompts that have nothing to do with the task.")
        .citation("Olsson et al. 2022; Wang et al. 2022 (mean ablation)")
        .choice("site", {"heads", "mlps", "attns", "neurons", "features"}, "what is taken away")
        .positions("layer", "all", "layers: all, 3, 2:5 or 1,4")
        .choice("kind", {"zero", "mean", "resample", "position-mean"}, "what comes in its place")
        .rows("reference", "texts of mean, position-mean and resample, written @FILE; without: the prompts")
        .choice("exclude", {"none", "special"}, "special: special tokens do not count in the mean");
    Metric::declare(manifest);
    return manifest.integer("draws", 2, "random vectors of the control at each place; 0: none", 0, 100)
        .integer("unrelated", 1, "made-up prompts of random ids that the same ablation is measured on", 0,
                 100)
        .integer("seed", 0, "of control, unrelated prompts and resample", 0)
        .result("effect", "series",
                "metric ablated − clean, in units of the metric: layer × head (or neuron), by layer for mlps "
                "and attns; mean over prompts")
        .result("clean", "number", "the metric without any change, mean over prompts")
        .result("control", "series",
                "the same for a random vector of equal norm at the same place, mean over prompts and draws; "
                "of neurons a few of each layer have one")
        .result("control_deviation", "series", "standard deviation of the control over draws")
        .result("unrelated", "series", "effect of the same ablation on unrelated prompts, mean")
        .result("effect_deviation", "series", "standard deviation of the effect over prompts")
        .result("summary", "table",
                "effect, control and unrelated over all components: mean, deviation, largest size")
        .result("largest", "table", "the components with the largest effects, and their controls")
        .result("correlation", "table",
                "of heads: Spearman's rank correlation of attention with effect, and with its size: "
                "attention to the first key (mean over queries after it), and from the metric's position to "
                "the answer's own tokens in the prompt")
        .result("resampled", "table", resampled_doc)
        .result("note", "text", "what was measured");
}

std::optional<sdk::Failure> Ablate::choose() {
    const sdk::ModelFacts& model = start_->model;
    site_ = start_->text("site");
    kind_ = start_->text("kind");
    if (site_ == "features")
        return sdk::Failure{"unsupported", "site=features needs a dictionary, which this version cannot open "
                                           "yet: choose heads, mlps, attns or neurons."};
    if (auto failure = chosen_layers(*start_, "layer", layers_)) return failure;
    count_ = site_ == "heads" ? model.heads : site_ == "neurons" ? model.d_ff : 1;
    width_ = site_ == "heads"     ? std::int64_t{model.heads} * model.d_head
             : site_ == "neurons" ? model.d_ff
                                  : model.d_model;
    prompts_ = uncorrupted(start_->rows);
    if (auto failure = metric_.read(*start_, prompts_)) return failure;
    draws_ = start_->integer("draws");
    unrelated_ = start_->integer("unrelated");
    random_.seed(static_cast<std::uint64_t>(start_->integer("seed")));
    if (kind_ == "zero") return std::nullopt;
    auto reference = start_->given("reference") ? start_->rows_of("reference") : prompts_;
    std::vector<std::string> hooks;
    for (std::size_t layer = 0; layer < layers_.size(); ++layer)
        hooks.push_back(hook(layer));
    const auto numbers = width_ * static_cast<std::int64_t>(layers_.size());
    return reference_.choose(kind_, start_->text("exclude") == "special", std::move(reference), prompts_,
                             std::move(hooks), numbers, random_());
}

sdk::Reply Ablate::start(const sdk::Start& start) {
    start_ = &start;
    if (auto failure = choose()) return *failure;
    for (std::size_t layer = 0; layer < layers_.size(); ++layer) {
        for (int index = 0; index < count_; ++index)
            components_.push_back({layers_[layer], index, layer});
        std::vector<std::size_t> own(static_cast<std::size_t>(count_));
        std::iota(own.begin(), own.end(), components_.size() - own.size());
        if (site_ == "neurons" && count_ > neurons_with_control)
            for (int i = 0; i < neurons_with_control; ++i)
                std::swap(own[static_cast<std::size_t>(i)],
                          own[static_cast<std::size_t>(i) +
                              random_() % (own.size() - static_cast<std::size_t>(i))]);
        if (site_ == "neurons") own.resize(static_cast<std::size_t>(std::min(count_, neurons_with_control)));
        if (draws_ > 0) with_control_.insert(with_control_.end(), own.begin(), own.end());
    }
    effects_.resize(components_.size());
    unrelated_effects_.resize(components_.size());
    controls_.assign(components_.size(), std::vector<std::vector<double>>(static_cast<std::size_t>(draws_)));
    if (site_ == "heads") {
        to_first_.resize(components_.size());
        to_answer_.resize(components_.size());
    }
    phase_ = Phase::reference;
    return next();
}

std::string Ablate::hook(std::size_t layer) const {
    const std::string block = "blocks." + std::to_string(layers_[layer]) + ".";
    if (site_ == "heads") return block + "attn.hook_z";
    if (site_ == "neurons") return block + "mlp.hook_post";
    return block + (site_ == "mlps" ? "hook_mlp_out" : "hook_attn_out");
}

bool Ablate::wants_patterns() const {
    const std::int64_t length = prompts_[prompt_].size();
    return site_ == "heads" && length > 1 &&
           4 * length * length * start_->model.heads * static_cast<std::int64_t>(layers_.size()) <=
               bytes_of_one_need;
}

sdk::Run Ablate::captures() const {
    sdk::Run run;
    run.rows = {prompts_[prompt_]};
    run.positions = sdk::Json::array();
    for (std::size_t layer = 0; layer < layers_.size(); ++layer) {
        if (draws_ > 0) run.captures.push_back(hook(layer));
        if (wants_patterns())
            run.captures.push_back("blocks." + std::to_string(layers_[layer]) + ".attn.hook_pattern");
    }
    return run;
}

sdk::Need Ablate::need(sdk::Run run, double share) const {
    sdk::Need need;
    need.runs.push_back(std::move(run));
    need.progress = share;
    return need;
}

sdk::Reply Ablate::next() {
    const double one = 1 / static_cast<double>(prompts_.size());
    if (phase_ == Phase::reference) {
        if (!reference_.complete()) return need(reference_.run(), 0);
        phase_ = Phase::captures;
    }
    if (phase_ == Phase::captures) {
        if (prompt_ == prompts_.size()) return done();
        if (sdk::Run run = captures(); !run.captures.empty())
            return need(std::move(run), static_cast<double>(prompt_) * one);
        begin_sweep(nullptr);
    }
    return need(sweep_.run(), (static_cast<double>(prompt_) + sweep_.share()) * one);
}

sdk::Reply Ablate::step(const sdk::Answer& answer) {
    if (phase_ == Phase::reference) {
        reference_.take(answer);
    } else if (phase_ == Phase::captures) {
        begin_sweep(&answer);
    } else {
        sweep_.take(answer);
        if (sweep_.done()) finish_prompt();
    }
    return next();
}

std::string Ablate::select(const Component& component) const {
    if (site_ == "heads") return "head=" + std::to_string(component.index) + " ";
    if (site_ == "neurons") return "channel=" + std::to_string(component.index) + " ";
    return "";
}

std::string Ablate::what(const Component& component) const {
    return select(component) + (kind_ == "zero" ? "zero" : "set @value" + std::to_string(component.place));
}

void Ablate::begin_sweep(const sdk::Answer* captured) {
    phase_ = Phase::sweep;
    std::vector<SweepBase> bases{{prompts_[prompt_], 0}};
    for (int i = 0; i < unrelated_; ++i)
        bases.push_back({unrelated_row(start_->model, prompts_[prompt_], random_), i + 1});
    sdk::NamedArrays arrays;
    if (kind_ != "zero")
        for (std::size_t layer = 0; layer < layers_.size(); ++layer)
            arrays["value" + std::to_string(layer)] = reference_.values(layer, prompt_);
    std::vector<SweepItem> items;
    for (int base = 0; base <= unrelated_; ++base)
        for (const Component& component : components_)
            items.push_back({base, component.layer, {{hook(component.place), what(component)}}});
    if (captured != nullptr) {
        if (draws_ > 0) add_controls(*captured, arrays, items);
        if (wants_patterns()) read_attention(*captured);
    }
    sweep_ = Sweep(start_->model, metric_, static_cast<int>(prompt_), std::move(bases), std::move(items),
                   std::move(arrays));
}

void Ablate::add_controls(const sdk::Answer& captured, sdk::NamedArrays& arrays,
                          std::vector<SweepItem>& items) {
    // What the ablation adds to the activations, by layer.
    std::vector<sdk::ArrayData> changes;
    for (std::size_t layer = 0; layer < layers_.size(); ++layer) {
        changes.push_back(copy_of(captured.capture(0, 0, hook(layer))));
        std::vector<float>& change = changes.back().data;
        const auto value = kind_ == "zero" ? nullptr : reference_.values(layer, prompt_);
        for (std::size_t i = 0; i < change.size(); ++i)
            change[i] = (value ? value->data[i % value->data.size()] : 0) - change[i];
    }
    const auto width = static_cast<std::size_t>(width_);
    for (int draw = 0; draw < draws_; ++draw) {
        std::vector<std::string> names; // by layer
        for (std::size_t layer = 0; site_ != "neurons" && layer < layers_.size(); ++layer) {
            names.push_back("control" + std::to_string(draw) + "_" + std::to_string(layer));
            arrays[names.back()] =
                shared(random_of_equal_norm(changes[layer], width_ / count_, false, random_));
        }
        for (const std::size_t at : with_control_) {
            const Component& component = components_[at];
            std::string name = site_ == "neurons"
                                   ? "control" + std::to_string(draw) + "_" + std::to_string(at)
                                   : names[component.place];
            if (site_ == "neurons") {
                // One neuron has no direction of its own: the vector lies in the space of its layer's.
                sdk::ArrayData change = changes[component.place];
                for (std::size_t i = 0; i < change.data.size(); ++i)
                    if (i % width != static_cast<std::size_t>(component.index)) change.data[i] = 0;
                arrays[name] = shared(random_of_equal_norm(change, width_, false, random_));
            }
            const std::string where = site_ == "neurons" ? "" : select(component);
            items.push_back({0, component.layer, {{hook(component.place), where + "add 1*@" + name}}});
        }
    }
}

void Ablate::read_attention(const sdk::Answer& captured) {
    const sdk::Row& row = prompts_[prompt_];
    const auto& answers = metric_.answers(static_cast<int>(prompt_));
    std::vector<int> keys;
    if (metric_.kind() != MetricKind::loss)
        for (int key = 0; key <= metric_.position(static_cast<int>(prompt_)); ++key)
            if (std::find(answers.begin(), answers.end(), row.ids[static_cast<std::size_t>(key)]) !=
                answers.end())
                keys.push_back(key);
    for (std::size_t at = 0; at < components_.size(); ++at) {
        const Component& head = components_[at];
        const sdk::View pattern =
            captured.capture(0, 0, "blocks." + std::to_string(head.layer) + ".attn.hook_pattern")[head.index];
        double first = 0, answer = 0;
        for (int query = 1; query < row.size(); ++query)
            first += static_cast<double>(pattern(query, 0));
        to_first_[at].push_back(first / (row.size() - 1));
        for (const int key : keys)
            answer += static_cast<double>(pattern(metric_.position(static_cast<int>(prompt_)), key));
        if (!keys.empty()) to_answer_[at].push_back(answer);
    }
}

void Ablate::finish_prompt() {
    const std::vector<double>& values = sweep_.values();
    const double clean = sweep_.bases()[0];
    clean_.push_back(clean);
    std::size_t item = 0;
    for (auto& effects : effects_)
        effects.push_back(values[item++] - clean);
    for (int i = 1; i <= unrelated_; ++i)
        for (auto& effects : unrelated_effects_)
            effects.push_back(values[item++] - sweep_.bases()[static_cast<std::size_t>(i)]);
    for (int draw = 0; draw < draws_; ++draw)
        for (const std::size_t at : with_control_)
            controls_[at][static_cast<std::size_t>(draw)].push_back(values[item++] - clean);
    ++prompt_;
    phase_ = Phase::captures;
}

} // namespace vitrine::analysis
