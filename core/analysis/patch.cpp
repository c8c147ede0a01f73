#include "core/analysis/patch.h"

#include <algorithm>
#include <utility>

#include "core/analysis/control_vectors.h"
#include "core/analysis/effect_results.h"

namespace vitrine::analysis {

sdk::Manifest Patch::manifest() {
    sdk::Manifest manifest("patch", "Activation patching: where a difference is carried");
    manifest
        .summary("Two prompts of equally many tokens, clean first, corrupted second. denoise: one place of "
                 "the corrupted run gets its value of the clean run; noise: one place of the clean run gets "
                 "that of the corrupted one. effect is the metric of the patched run, normalised is 1 where "
                 "it is as in the clean run and 0 where it is as in the corrupted one. layer,pos patches all "
                 "heads at a position, layer,head all positions of a head. The control adds a random vector "
                 "of the same norm as the change at the same place. Further pairs may follow; their mean "
                 "is shown.")
        .citation("Meng et al. 2022; Wang et al. 2022; Heimersheim & Nanda 2024")
        .choice(
            "site",
            {"resid_pre", "resid_mid", "resid_post", "attn_out", "mlp_out", "z", "q", "k", "v", "pattern"},
            "what is patched; the position of a pattern is its query")
        .choice("axes", {"layer,pos", "layer,head", "pos,head"},
                "the places: pos,head needs one layer; heads are those of z, q, k, v and pattern (of k and v "
                "a grouped model has fewer)")
        .choice("direction", {"denoise", "noise"}, "clean into corrupted, or corrupted into clean")
        .positions("layer", "all", "layers: all, 3, 2:5 or 1,4");
    Metric::declare(manifest);
    return manifest.integer("draws", 1, "random vectors of the control at each place; 0: none", 0, 100)
        .integer("unrelated", 0, "made-up prompts of random ids that the same values are put into", 0, 100)
        .integer("seed", 0, "of control and unrelated prompts", 0)
        .result("effect", "matrix", "the metric of the patched run, mean over pairs")
        .result("normalised", "matrix",
                "(effect − corrupted)/(clean − corrupted) of these means; no value where clean and corrupted "
                "differ by less than a thousandth")
        .result("clean", "number", "the metric of the clean run, mean over pairs")
        .result("corrupted", "number", "the metric of the corrupted run, mean over pairs")
        .result("control", "matrix",
                "metric with a random vector of equal norm added at the same place, mean over pairs and "
                "draws")
        .result("control_deviation", "matrix", "standard deviation of the control over draws")
        .result("unrelated", "matrix",
                "change of the metric of unrelated prompts that the same values are put into, mean")
        .result("effect_deviation", "matrix", "standard deviation of the effect over pairs")
        .result("rows", "matrix", "the effect of each pair")
        .result("summary", "table",
                "change of the metric by patch and by control over all places: mean, deviation, largest "
                "size")
        .result("note", "text", "what was measured");
}

std::optional<sdk::Failure> Patch::choose_axes() {
    const sdk::ModelFacts& model = start_->model;
    const bool by_head = axes_ != "layer,pos";
    heads_ = site_ == "k" || site_ == "v"                         ? model.kv_heads
             : site_ == "z" || site_ == "q" || site_ == "pattern" ? model.heads
                                                                  : 0;
    if (by_head && heads_ == 0)
        return sdk::Failure{"usage", "site=" + site_ + " has no heads, which axes=" + axes_ +
                                         " asks for: choose axes=layer,pos, or z, q, k, v or pattern."};
    if (auto failure = chosen_layers(*start_, "layer", layers_)) return failure;
    if (axes_ == "pos,head" && layers_.size() != 1)
        return sdk::Failure{"usage", "axes=pos,head shows one layer: say which by layer=N."};
    if (axes_ != "layer,head" && !pairs_.same_length())
        return sdk::Failure{"usage",
                            "Pairs of different lengths have no positions in common that axes=" + axes_ +
                                " could show: give pairs of one length, or axes=layer,head."};
    return std::nullopt;
}

std::optional<sdk::Failure> Patch::choose() {
    site_ = start_->text("site");
    axes_ = start_->text("axes");
    denoise_ = start_->text("direction") == "denoise";
    draws_ = start_->integer("draws");
    unrelated_ = start_->integer("unrelated");
    random_.seed(static_cast<std::uint64_t>(start_->integer("seed")));
    if (auto failure = read_pairs(start_->rows, pairs_)) return failure;
    if (auto failure = choose_axes()) return failure;
    return metric_.read(*start_, pairs_.clean);
}

sdk::Reply Patch::start(const sdk::Start& start) {
    start_ = &start;
    if (auto failure = choose()) return *failure;
    controls_.resize(static_cast<std::size_t>(draws_));
    return next();
}

std::string Patch::hook(std::size_t layer) const {
    return "blocks." + std::to_string(layers_[layer]) + (heads_ > 0 ? ".attn.hook_" : ".hook_") + site_;
}

/// Numbers that one place holds at one position.
std::int64_t Patch::group() const {
    const sdk::ModelFacts& model = start_->model;
    if (site_ == "pattern") return pairs_.clean[static_cast<std::size_t>(pair_)].size();
    if (heads_ == 0) return model.d_model;
    return axes_ == "layer,pos" ? std::int64_t{heads_} * model.d_head : model.d_head;
}

std::vector<Patch::Cell> Patch::cells() const {
    const int length = pairs_.clean[static_cast<std::size_t>(pair_)].size();
    const auto pos = [](int p) { return "pos=" + std::to_string(p) + " "; };
    const auto head = [](int h) { return "head=" + std::to_string(h) + " "; };
    std::vector<Cell> cells;
    for (std::size_t layer = 0; layer < layers_.size(); ++layer) {
        if (axes_ == "layer,head") {
            for (int h = 0; h < heads_; ++h)
                cells.push_back({layer, head(h)});
            continue;
        }
        for (int p = 0; p < length; ++p)
            if (axes_ == "layer,pos")
                cells.push_back({layer, pos(p)});
            else
                for (int h = 0; h < heads_; ++h)
                    cells.push_back({layer, pos(p) + head(h)});
    }
    return cells;
}

sdk::Reply Patch::next() {
    if (pair_ == pairs_.size()) return done();
    sdk::Need need;
    const double one = 1.0 / pairs_.size();
    if (sweeping_) {
        need.runs = {sweep_.run()};
        need.progress = (pair_ + sweep_.share()) * one;
        return need;
    }
    sdk::Run run;
    run.rows = {pairs_.clean[static_cast<std::size_t>(pair_)],
                pairs_.corrupted[static_cast<std::size_t>(pair_)]};
    for (std::size_t layer = 0; layer < layers_.size(); ++layer)
        run.captures.push_back(hook(layer));
    run.positions = sdk::Json::array();
    need.runs = {std::move(run)};
    need.progress = pair_ * one;
    return need;
}

sdk::Reply Patch::step(const sdk::Answer& answer) {
    if (!sweeping_) {
        begin_sweep(answer);
    } else {
        sweep_.take(answer);
        if (sweep_.done()) finish_pair();
    }
    return next();
}

void Patch::begin_sweep(const sdk::Answer& captured) {
    sweeping_ = true;
    cells_ = cells();
    const auto pair = static_cast<std::size_t>(pair_);
    const int changed = denoise_ ? 1 : 0; // row that values are put into
    std::vector<SweepBase> bases{{pairs_.clean[pair], 0}, {pairs_.corrupted[pair], 0}};
    for (int i = 0; i < unrelated_; ++i)
        bases.push_back({unrelated_row(start_->model, pairs_.clean[pair], random_), i + 2});
    sdk::NamedArrays arrays;
    for (std::size_t layer = 0; layer < layers_.size(); ++layer) {
        const std::string place = std::to_string(layer);
        sdk::ArrayData value = copy_of(captured.capture(0, 1 - changed, hook(layer)));
        sdk::ArrayData change = value;
        const sdk::View before = captured.capture(0, changed, hook(layer));
        for (std::size_t i = 0; i < change.data.size(); ++i)
            change.data[i] -= before.data()[i];
        arrays["value" + place] = shared(std::move(value));
        for (int draw = 0; draw < draws_; ++draw)
            arrays["control" + std::to_string(draw) + "_" + place] =
                shared(random_of_equal_norm(change, group(), site_ == "pattern", random_));
    }
    std::vector<SweepItem> items;
    const auto add = [&](int base, const std::string& what) {
        for (const Cell& cell : cells_)
            items.push_back({base,
                             layers_[cell.place],
                             {{hook(cell.place), cell.where + what + std::to_string(cell.place)}}});
    };
    add(changed, "set @value");
    for (int draw = 0; draw < draws_; ++draw)
        add(changed, "add 1*@control" + std::to_string(draw) + "_");
    for (int i = 0; i < unrelated_; ++i)
        add(i + 2, "set @value");
    sweep_ = Sweep(start_->model, metric_, pair_, std::move(bases), std::move(items), std::move(arrays));
}

void Patch::finish_pair() {
    const std::vector<double>& values = sweep_.values();
    const std::vector<double>& bases = sweep_.bases();
    clean_.push_back(bases[0]);
    corrupted_.push_back(bases[1]);
    auto from = values.begin();
    const auto part = [&] {
        const auto begin = std::exchange(from, from + static_cast<std::ptrdiff_t>(cells_.size()));
        return std::vector<double>(begin, from);
    };
    effects_.push_back(part());
    for (auto& draw : controls_)
        draw.push_back(part());
    for (int i = 0; i < unrelated_; ++i) {
        auto changes = part();
        for (double& change : changes)
            change -= bases[static_cast<std::size_t>(i) + 2];
        unrelated_effects_.push_back(std::move(changes));
    }
    sweeping_ = false;
    ++pair_;
}

} // namespace vitrine::analysis
