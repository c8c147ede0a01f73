#include "core/analysis/circuit_faithfulness.h"

#include <algorithm>
#include <numeric>
#include <utility>

#include "core/analysis/pairs.h"
#include "core/analysis/statistics.h"

namespace vitrine::analysis {

sdk::Manifest CircuitFaithfulness::manifest() {
    sdk::Manifest manifest("circuit-faithfulness", "How much of a behaviour a circuit carries");
    manifest
        .summary("Everything outside a set of components is ablated at all positions. faithfulness = "
                 "(metric of the circuit − metric with all ablated)/(metric of the model − metric with all "
                 "ablated), completeness the same of what is left without the circuit: near 0 where nothing "
                 "outside it does the job. The curves take the members in the order given; minimality is "
                 "what the circuit loses without each member. Random circuits of the same size, with as "
                 "many heads and MLPs, are drawn beside it. Circuits are sets of nodes, not of edges.")
        .citation("Wang et al. 2022 (IOI); Shi et al. 2024 (tests of circuits)")
        .list("circuit", sdk::Json::array(), "the members, such as L5H0,L5H4,M6, most important first")
        .choice("nodes", {"heads", "heads-and-mlps"},
                "what may be ablated: with heads alone all MLPs stay as they are")
        .choice("kind", {"mean", "zero", "resample", "position-mean"}, "what comes in its place")
        .rows("reference", "texts of mean, position-mean and resample, written @FILE; without: the prompts")
        .choice("exclude", {"none", "special"}, "special: special tokens do not count in the mean");
    Metric::declare(manifest);
    return manifest.integer("draws", 5, "random circuits of each size", 1, 100)
        .integer("seed", 0, "of random circuits and resample", 0)
        .result("faithfulness", "series", "by number of members, the first ones of the list; 1: as the model")
        .result("completeness", "series", "the same with these members ablated and all else left")
        .result("random", "series", "faithfulness of random circuits of the same size, mean over draws")
        .result("random_deviation", "series", "its standard deviation over draws")
        .result("minimality", "series",
                "by member: faithfulness of the whole circuit − faithfulness without that member")
        .result("full", "number", "the metric of the model, mean over prompts")
        .result("circuit", "number", "the metric of the circuit alone")
        .result("ablated", "number", "the metric with every node ablated")
        .result("resampled", "table", resampled_doc)
        .result("note", "text", "ablation, nodes and size");
}

std::optional<sdk::Failure> CircuitFaithfulness::read_circuit() {
    const sdk::ModelFacts& model = start_->model;
    for (int layer = 0; layer < model.layers; ++layer) {
        for (int head = 0; head < model.heads; ++head)
            nodes_.push_back({layer, head});
        if (with_mlps_) nodes_.push_back({layer, -1});
    }
    for (const auto& name : start_->parameters.at("circuit").get<std::vector<std::string>>()) {
        if (name.empty()) continue; // circuit= and nothing behind it
        const auto node = node_named(name, model);
        if (!node)
            return sdk::Failure{"usage", "The circuit's member " + name +
                                             " is not there: write heads as L5H0 "
                                             "and MLPs as M5; the model has " +
                                             std::to_string(model.layers) + " layers of " +
                                             std::to_string(model.heads) + " heads."};
        const auto found = std::find(nodes_.begin(), nodes_.end(), *node);
        if (found == nodes_.end())
            return sdk::Failure{"usage", "MLPs such as " + name +
                                             " are never ablated with nodes=heads: leave "
                                             "them out, or choose nodes=heads-and-mlps."};
        const auto index = static_cast<std::size_t>(found - nodes_.begin());
        if (std::find(members_.begin(), members_.end(), index) != members_.end())
            return sdk::Failure{"usage", "The circuit names " + name + " twice: leave one out."};
        members_.push_back(index);
    }
    if (members_.empty())
        return sdk::Failure{"usage", "Which components are the circuit? Give circuit=L5H0,L5H4 or the like."};
    return std::nullopt;
}

std::optional<sdk::Failure> CircuitFaithfulness::choose() {
    kind_ = start_->text("kind");
    with_mlps_ = start_->text("nodes") == "heads-and-mlps";
    draws_ = start_->integer("draws");
    random_.seed(static_cast<std::uint64_t>(start_->integer("seed")));
    if (auto failure = read_circuit()) return failure;
    prompts_ = uncorrupted(start_->rows);
    if (auto failure = metric_.read(*start_, prompts_)) return failure;
    if (kind_ == "zero") return std::nullopt;
    for (const Node& node : nodes_)
        if (node.head <= 0) hooks_.push_back(hook(node)); // one of a layer's heads
    const sdk::ModelFacts& model = start_->model;
    const std::int64_t numbers =
        std::int64_t{model.layers} * (model.heads * model.d_head + (with_mlps_ ? model.d_model : 0));
    return reference_.choose(kind_, start_->text("exclude") == "special",
                             start_->given("reference") ? start_->rows_of("reference") : prompts_, prompts_,
                             hooks_, numbers, random_());
}

std::string CircuitFaithfulness::hook(const Node& node) const {
    return "blocks." + std::to_string(node.layer) + (node.head < 0 ? ".hook_mlp_out" : ".attn.hook_z");
}

/// As many heads and MLPs as the first `size` members.
CircuitFaithfulness::Kept CircuitFaithfulness::random_circuit(std::size_t size) {
    Kept kept(nodes_.size());
    for (const bool mlps : {false, true}) {
        std::vector<std::size_t> pool;
        for (std::size_t i = 0; i < nodes_.size(); ++i)
            if ((nodes_[i].head < 0) == mlps) pool.push_back(i);
        const auto count = static_cast<std::size_t>(
            std::count_if(members_.begin(), members_.begin() + static_cast<std::ptrdiff_t>(size),
                          [&](std::size_t i) { return (nodes_[i].head < 0) == mlps; }));
        for (std::size_t i = 0; i < count; ++i) {
            std::swap(pool[i], pool[i + random_() % (pool.size() - i)]);
            kept[pool[i]] = true;
        }
    }
    return kept;
}

void CircuitFaithfulness::choose_circuits() {
    circuits_.emplace_back(nodes_.size());
    for (const std::size_t member : members_) {
        circuits_.push_back(circuits_.back());
        circuits_.back()[member] = true;
    }
    first_complement_ = circuits_.size();
    for (std::size_t size = 1; size <= members_.size(); ++size) {
        circuits_.push_back(circuits_[size]);
        circuits_.back().flip();
    }
    first_without_ = circuits_.size();
    for (const std::size_t member : members_) {
        circuits_.push_back(circuits_[members_.size()]);
        circuits_.back()[member] = false;
    }
    first_random_ = circuits_.size();
    for (std::size_t size = 1; size <= members_.size(); ++size)
        for (int draw = 0; draw < draws_; ++draw)
            circuits_.push_back(random_circuit(size));
}

sdk::Reply CircuitFaithfulness::start(const sdk::Start& start) {
    start_ = &start;
    if (auto failure = choose()) return *failure;
    choose_circuits();
    return next();
}

sdk::Reply CircuitFaithfulness::next() {
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

sdk::Reply CircuitFaithfulness::step(const sdk::Answer& answer) {
    if (!sweeping_) {
        reference_.take(answer);
        return next();
    }
    sweep_.take(answer);
    if (sweep_.done()) {
        full_.push_back(sweep_.bases()[0]);
        values_.push_back(sweep_.values());
        sweeping_ = false;
        ++prompt_;
    }
    return next();
}

/// All heads of a layer that are not kept in one edit.
std::vector<RowEdit> CircuitFaithfulness::ablation(const Kept& kept) const {
    std::vector<RowEdit> edits;
    const auto add = [&](const Node& node, const std::string& heads) {
        const std::string place = hook(node);
        edits.push_back({place, heads + (kind_ == "zero" ? "zero" : "set @" + place)});
    };
    std::string heads;
    for (std::size_t i = 0; i < nodes_.size(); ++i) {
        const Node& node = nodes_[i];
        if (node.head < 0) {
            if (!kept[i]) add(node, "");
            continue;
        }
        if (!kept[i]) heads += (heads.empty() ? "" : ",") + std::to_string(node.head);
        if (node.head + 1 < start_->model.heads || heads.empty()) continue;
        add(node, "head=" + heads + " ");
        heads.clear();
    }
    return edits;
}

void CircuitFaithfulness::begin_sweep() {
    sweeping_ = true;
    sdk::NamedArrays arrays;
    for (std::size_t i = 0; i < hooks_.size(); ++i)
        arrays[hooks_[i]] = reference_.values(i, prompt_);
    std::vector<SweepItem> items;
    for (const Kept& kept : circuits_)
        items.push_back({0, 0, ablation(kept)});
    sweep_ = Sweep(start_->model, metric_, static_cast<int>(prompt_), {{prompts_[prompt_], 0}},
                   std::move(items), std::move(arrays));
}

double CircuitFaithfulness::mean_at(std::size_t circuit) const {
    std::vector<double> values;
    for (const auto& of_prompt : values_)
        values.push_back(of_prompt[circuit]);
    return mean_of(values);
}

double CircuitFaithfulness::share_of(double value) const {
    return normalised(value, mean_of(full_), mean_at(0));
}

sdk::ResultData CircuitFaithfulness::curve(const std::string& name, const std::vector<double>& values) const {
    sdk::Axis axis{"members", static_cast<std::int64_t>(members_.size()), {}};
    for (std::size_t size = 1; size <= members_.size(); ++size)
        axis.labels.push_back(std::to_string(size));
    auto result = sdk::ResultData::array(name, "series", {axis});
    result.data = values;
    return result;
}

sdk::ResultData CircuitFaithfulness::minimality() const {
    sdk::Axis axis{"member", static_cast<std::int64_t>(members_.size()), {}};
    for (const std::size_t member : members_)
        axis.labels.push_back(name_of(nodes_[member]));
    auto result = sdk::ResultData::array("minimality", "series", {axis});
    const double whole = share_of(mean_at(members_.size()));
    for (std::size_t i = 0; i < members_.size(); ++i)
        result.data[i] = whole - share_of(mean_at(first_without_ + i));
    return result;
}

std::string CircuitFaithfulness::note() const {
    return std::to_string(members_.size()) + " of " + std::to_string(nodes_.size()) + " nodes (" +
           (with_mlps_ ? "heads and MLPs" : "heads; MLPs stay") + "), ablation " + kind_ + ", metric " +
           metric_.name() + ", " + std::to_string(prompts_.size()) + " prompts, " + std::to_string(draws_) +
           " random circuits of each size. No value: the model and all ablated differ by less than a "
           "thousandth.";
}

sdk::Done CircuitFaithfulness::done() const {
    std::vector<double> faithful, complete, random, deviation;
    for (std::size_t size = 1; size <= members_.size(); ++size) {
        faithful.push_back(share_of(mean_at(size)));
        complete.push_back(share_of(mean_at(first_complement_ + size - 1)));
        std::vector<double> draws;
        for (int draw = 0; draw < draws_; ++draw)
            draws.push_back(share_of(mean_at(first_random_ + (size - 1) * static_cast<std::size_t>(draws_) +
                                             static_cast<std::size_t>(draw))));
        random.push_back(mean_of(draws));
        deviation.push_back(deviation_of(draws));
    }
    sdk::Done done;
    done.results.push_back(curve("faithfulness", faithful));
    done.results.push_back(curve("completeness", complete));
    done.results.push_back(curve("random", random));
    if (draws_ > 1) done.results.push_back(curve("random_deviation", deviation));
    done.results.push_back(minimality());
    done.results.push_back(sdk::ResultData::number("full", mean_of(full_)));
    done.results.push_back(sdk::ResultData::number("circuit", mean_at(members_.size())));
    done.results.push_back(sdk::ResultData::number("ablated", mean_at(0)));
    if (auto table = reference_.resampled()) done.results.push_back(std::move(*table));
    done.results.push_back(sdk::ResultData::text("note", note()));
    return done;
}

} // namespace vitrine::analysis
