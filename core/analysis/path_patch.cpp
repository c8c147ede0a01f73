#include "core/analysis/path_patch.h"

#include <algorithm>
#include <utility>

#include "core/analysis/components.h"
#include "core/analysis/control_vectors.h"

namespace vitrine::analysis {

sdk::Manifest PathPatch::manifest() {
    sdk::Manifest manifest("path-patch", "Path patching: what one component tells another");
    manifest
        .summary("Pairs of prompts of equally many tokens, clean first, corrupted second. The output of one "
                 "sender (head or MLP) is taken from the other prompt, every other head and MLP keeps the "
                 "value of the unchanged run, and what then arrives at the receivers is put into that run, "
                 "where everything after them is computed again: effect = metric − metric of the unchanged "
                 "run. So only the direct path counts, through the residual stream alone. noise changes the "
                 "clean run, denoise the corrupted one. Receivers: logits, L5H0:q (k, v: of a grouped model "
                 "the key head that the head uses), M5 (what an MLP reads).")
        .citation("Wang et al. 2022 (IOI); Goldowsky-Dill et al. 2023")
        .list("receiver", sdk::Json::array({"logits"}),
              "where paths end: logits, or heads' inputs and MLPs such as L5H0:q,L5H4:q,M6, patched together")
        .choice("direction", {"noise", "denoise"}, "corrupted into clean, or clean into corrupted")
        .boolean("freeze_mlps", true, "whether MLPs keep their values; if not, a path may lead through them")
        .integer("draws", 1, "random vectors of equal norm in the place of the sender's change; 0: none", 0,
                 100)
        .integer("seed", 0, "of the control", 0);
    Metric::declare(manifest);
    return manifest
        .result("effect", "matrix",
                "of senders that are heads: metric − metric of the unchanged run, layer × head, mean over "
                "pairs; no value behind the last receiver")
        .result("mlps", "series", "the same of senders that are MLPs")
        .result("normalised", "matrix",
                "effect of heads/(metric of the other prompt − metric of the unchanged run); no value where "
                "these two differ by less than a thousandth")
        .result("clean", "number", "the metric of the clean run, mean over pairs")
        .result("corrupted", "number", "the metric of the corrupted run, mean over pairs")
        .result("control", "matrix",
                "effect of heads with a random vector of equal norm added in place of the sender's change, "
                "mean over pairs and draws")
        .result("control_mlps", "series", "the same of MLPs")
        .result("rows", "matrix", "the effect of heads in each pair, where there are several")
        .result("note", "text", "what was measured");
}

std::optional<sdk::Failure> PathPatch::add_receiver(const std::string& name) {
    const sdk::ModelFacts& model = start_->model;
    if (name == "logits") {
        to_logits_ = true;
        last_layer_ = model.layers - 1;
        return std::nullopt;
    }
    const std::size_t colon = std::min(name.find(':'), name.size());
    const auto node = node_named(std::string_view(name).substr(0, colon), model);
    const std::string input = name.substr(std::min(colon + 1, name.size()));
    const bool into_head = input == "q" || input == "k" || input == "v";
    if (!node || (node->head < 0 ? colon < name.size() : !into_head))
        return sdk::Failure{"usage", "The receiver " + name +
                                         " is not there: write logits, L5H0:q (or k, v) or "
                                         "M5; the model has " +
                                         std::to_string(model.layers) + " layers of " +
                                         std::to_string(model.heads) + " heads."};
    last_layer_ = std::max(last_layer_, node->layer);
    if (node->head < 0) {
        receivers_.push_back({node->layer, -1, block(node->layer) + "hook_mlp_in"});
        return std::nullopt;
    }
    const int of_input = input == "q" ? node->head : node->head / (model.heads / model.kv_heads);
    receivers_.push_back({node->layer, of_input, block(node->layer) + "attn.hook_" + input});
    return std::nullopt;
}

std::optional<sdk::Failure> PathPatch::choose() {
    freeze_mlps_ = start_->flag("freeze_mlps");
    noise_ = start_->text("direction") == "noise";
    draws_ = start_->integer("draws");
    random_.seed(static_cast<std::uint64_t>(start_->integer("seed")));
    if (auto failure = read_pairs(start_->rows, pairs_)) return failure;
    auto names = start_->parameters.at("receiver").get<std::vector<std::string>>();
    std::erase(names, ""); // receiver= and nothing behind it
    for (const std::string& name : names)
        if (auto failure = add_receiver(name)) return failure;
    if (names.empty())
        return sdk::Failure{"usage",
                            "Where do the paths end? Give receiver=logits, or heads and MLPs such as "
                            "L5H0:q,M6."};
    if (to_logits_ && !receivers_.empty())
        return sdk::Failure{"usage", "Paths end at the logits or at components, not at both: give "
                                     "receiver=logits, or heads and MLPs."};
    return metric_.read(*start_, pairs_.clean);
}

sdk::Reply PathPatch::start(const sdk::Start& start) {
    start_ = &start;
    if (auto failure = choose()) return *failure;
    for (int layer = 0; layer <= last_layer_; ++layer) {
        for (int head = 0; head < start.model.heads; ++head)
            senders_.push_back({layer, head});
        senders_.push_back({layer, -1});
    }
    // A component behind all receivers tells them nothing.
    std::erase_if(senders_, [&](const Node& sender) {
        return !to_logits_ && std::none_of(receivers_.begin(), receivers_.end(), [&](const Receiver& to) {
            const bool into_mlp = to.head < 0;
            return sender.layer < to.layer || (into_mlp && sender.layer == to.layer && sender.head >= 0);
        });
    });
    if (senders_.empty())
        return sdk::Failure{"usage", "Nothing comes before the receivers: choose later ones."};
    return next();
}

std::string PathPatch::block(int layer) const { return "blocks." + std::to_string(layer) + "."; }

sdk::Need PathPatch::need(sdk::Run run, double share) const {
    sdk::Need need;
    need.runs.push_back(std::move(run));
    need.progress = (pair_ + share) / pairs_.size();
    return need;
}

sdk::Reply PathPatch::next() {
    if (pair_ == pairs_.size()) return done();
    if (phase_ == Phase::paths) return need(sweep_.run(), sweep_.share() / 2);
    if (phase_ == Phase::effects) return need(sweep_.run(), 0.5 + sweep_.share() / 2);
    sdk::Run run;
    run.rows = {pairs_.clean[static_cast<std::size_t>(pair_)],
                pairs_.corrupted[static_cast<std::size_t>(pair_)]};
    if (!noise_) std::swap(run.rows[0], run.rows[1]);
    for (int layer = 0; layer < start_->model.layers; ++layer)
        for (const char* hook : {"attn.hook_z", "hook_mlp_out"})
            run.captures.push_back(block(layer) + hook);
    run.positions = sdk::Json::array();
    return need(std::move(run), 0);
}

sdk::Reply PathPatch::step(const sdk::Answer& answer) {
    if (phase_ == Phase::captures) {
        begin_paths(answer);
    } else {
        sweep_.take(answer);
        if (sweep_.done() && phase_ == Phase::paths && !to_logits_)
            begin_effects();
        else if (sweep_.done())
            finish_pair();
    }
    return next();
}

/// Every head and MLP at its value in the unchanged run.
std::vector<RowEdit> PathPatch::frozen() const {
    std::vector<RowEdit> edits;
    for (int layer = 0; layer < start_->model.layers; ++layer) {
        edits.push_back({block(layer) + "attn.hook_z", "set @base_" + block(layer) + "attn.hook_z"});
        if (freeze_mlps_)
            edits.push_back({block(layer) + "hook_mlp_out", "set @base_" + block(layer) + "hook_mlp_out"});
    }
    return edits;
}

void PathPatch::add_control(const sdk::Answer& captured, const std::string& hook, std::int64_t group) {
    const sdk::ArrayData base = copy_of(captured.capture(0, 0, hook));
    sdk::ArrayData change = copy_of(captured.capture(0, 1, hook));
    for (std::size_t i = 0; i < change.data.size(); ++i)
        change.data[i] -= base.data[i];
    for (int draw = 0; draw < draws_; ++draw) {
        sdk::ArrayData other = random_of_equal_norm(change, group, false, random_);
        for (std::size_t i = 0; i < other.data.size(); ++i)
            other.data[i] += base.data[i];
        arrays_["control" + std::to_string(draw) + "_" + hook] = shared(std::move(other));
    }
}

void PathPatch::begin_paths(const sdk::Answer& captured) {
    phase_ = Phase::paths;
    arrays_.clear();
    for (int layer = 0; layer < start_->model.layers; ++layer)
        for (const char* name : {"attn.hook_z", "hook_mlp_out"}) {
            const std::string hook = block(layer) + name;
            arrays_["base_" + hook] = shared(copy_of(captured.capture(0, 0, hook)));
            arrays_["other_" + hook] = shared(copy_of(captured.capture(0, 1, hook)));
            add_control(captured, hook,
                        name == std::string("hook_mlp_out") ? start_->model.d_model : start_->model.d_head);
        }
    const auto pair = static_cast<std::size_t>(pair_);
    std::vector<SweepBase> bases{{pairs_.clean[pair], 0}, {pairs_.corrupted[pair], 0}};
    const int base = noise_ ? 0 : 1;
    std::vector<SweepItem> items;
    for (int draw = -1; draw < draws_; ++draw) {
        const std::string from = draw < 0 ? "other_" : "control" + std::to_string(draw) + "_";
        for (const Node& sender : senders_) {
            const std::string hook = block(sender.layer) + (sender.head < 0 ? "hook_mlp_out" : "attn.hook_z");
            const std::string head = sender.head < 0 ? "" : "head=" + std::to_string(sender.head) + " ";
            // Frozen heads and MLPs of all layers come first: nothing is shared between rows.
            items.push_back({base, 0, {{hook, head + "set @" + from + hook}}});
        }
    }
    received_.assign(items.size(), {});
    sweep_ = Sweep(start_->model, metric_, pair_, std::move(bases), std::move(items), arrays_);
    sweep_.before_all(frozen());
    if (to_logits_) return;
    std::vector<std::string> hooks;
    std::int64_t numbers = 0;
    for (const Receiver& receiver : receivers_) {
        hooks.push_back(receiver.hook);
        numbers += std::int64_t{pairs_.clean[pair].size()} * start_->model.d_model;
    }
    std::sort(hooks.begin(), hooks.end());
    hooks.erase(std::unique(hooks.begin(), hooks.end()), hooks.end());
    sweep_.capture(hooks, numbers, [this](std::size_t item, const sdk::Answer& answer, int row) {
        for (const Receiver& receiver : receivers_)
            received_[item].push_back(shared(copy_of(answer.capture(0, row, receiver.hook))));
    });
}

void PathPatch::begin_effects() {
    phase_ = Phase::effects;
    const auto pair = static_cast<std::size_t>(pair_);
    std::vector<SweepBase> bases{{pairs_.clean[pair], 0}, {pairs_.corrupted[pair], 0}};
    std::vector<SweepItem> items;
    arrays_.clear();
    for (std::size_t item = 0; item < received_.size(); ++item) {
        SweepItem changed{noise_ ? 0 : 1, last_layer_, {}};
        for (std::size_t r = 0; r < receivers_.size(); ++r) {
            const Receiver& receiver = receivers_[r];
            const std::string name = "path" + std::to_string(item) + "_" + std::to_string(r);
            arrays_[name] = received_[item][r];
            const std::string head = receiver.head < 0 ? "" : "head=" + std::to_string(receiver.head) + " ";
            changed.edits.push_back({receiver.hook, head + "set @" + name});
            changed.layer = std::min(changed.layer, receiver.layer);
        }
        items.push_back(std::move(changed));
    }
    sweep_ = Sweep(start_->model, metric_, pair_, std::move(bases), std::move(items), std::move(arrays_));
    received_.clear();
}

void PathPatch::finish_pair() {
    const double base = sweep_.bases()[noise_ ? 0 : 1];
    base_.push_back(base);
    other_.push_back(sweep_.bases()[noise_ ? 1 : 0]);
    effects_.push_back(sweep_.values());
    for (double& effect : effects_.back())
        effect -= base;
    ++pair_;
    phase_ = Phase::captures;
}

} // namespace vitrine::analysis
