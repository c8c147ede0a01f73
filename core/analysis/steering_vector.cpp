#include "core/analysis/steering_vector.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <utility>

#include "core/analysis/budget.h"
#include "core/analysis/statistics.h"

namespace vitrine::analysis {

sdk::Manifest SteeringVector::manifest() {
    return sdk::Manifest("steering-vector", "The direction between two sets of texts")
        .summary(
            "The mean activation of the prompts minus that of the texts they stand against, at one hook of "
            "one layer: a vector that edits add, project out or cap (add 4*@F.npy, project-out @F.npy, cap "
            "0 @F.npy; write it with --data F.npy). accuracy tells, for each layer, how often such a "
            "direction puts a text on its own side: each is judged by the vector and the midpoint of the "
            "others, without itself and the text that stands against it. The control is the same with the "
            "texts dealt to the two sides at random.")
        .citation("Turner et al. 2023 (activation addition); Marks & Tegmark 2023 (difference of means)")
        .rows("against", "the other set of texts, written @FILE; without: rows whose role is corrupted")
        .choice("hook", {"resid_post", "resid_pre", "resid_mid", "attn_out", "mlp_out"}, "where it is read")
        .integer("layer", nullptr, "of the vector; without: the one in the middle", 0)
        .choice("read", {"last", "mean"},
                "which tokens of a text: the last one, or the mean over all of them")
        .choice("exclude", {"special", "first", "none"},
                "which tokens do not count in that mean: special ones, or these and the first, where "
                "attention sinks "
                "lie")
        .choice("scale", {"none", "unit"}, "unit: the vector has length 1")
        .integer("draws", 20, "random deals of the control; 0: none", 0, 1000)
        .integer("seed", 0, "of the control", 0)
        .result("vector", "series", "by channel: mean of the prompts − mean of the texts against them")
        .result(
            "accuracy", "series",
            "by layer: share of texts on their own side, each judged by the others; 0.5 is chance where the "
            "sets are of one size")
        .result("control", "series", "by layer: the same with texts dealt at random, mean over draws")
        .result("norm", "series", "by layer: length of the difference of means")
        .result("relative_norm", "series", "by layer: that length over the mean length of the activations")
        .result("note", "text", "texts of each set, and the edit that applies the vector");
}

std::optional<sdk::Failure> SteeringVector::choose() {
    hook_ = start_->text("hook");
    read_ = start_->text("read");
    exclude_ = start_->text("exclude");
    draws_ = start_->integer("draws");
    random_.seed(static_cast<std::uint64_t>(start_->integer("seed")));
    const int layers = start_->model.layers;
    layer_ = start_->given("layer") ? start_->integer("layer") : layers / 2;
    if (layer_ >= layers)
        return sdk::Failure{"out-of-range", "There is no layer " + std::to_string(layer_) +
                                                ": the model has " + std::to_string(layers) + "."};
    std::vector<sdk::Row> against;
    if (start_->given("against")) {
        texts_ = start_->rows;
        against = start_->rows_of("against");
    } else {
        for (const sdk::Row& row : start_->rows)
            (row.role == "corrupted" ? against : texts_).push_back(row);
    }
    if (texts_.empty() || against.empty())
        return sdk::Failure{"usage",
                            "A steering vector lies between two sets of texts: give the other set as "
                            "against=@FILE, or rows of the roles clean and corrupted."};
    for_it_ = texts_.size();
    texts_.insert(texts_.end(), against.begin(), against.end());
    return std::nullopt;
}

sdk::Reply SteeringVector::start(const sdk::Start& start) {
    start_ = &start;
    if (auto failure = choose()) return *failure;
    found_.resize(static_cast<std::size_t>(start.model.layers));
    return next();
}

std::string SteeringVector::hook(int layer) const {
    return "blocks." + std::to_string(layer) + ".hook_" + hook_;
}

std::size_t SteeringVector::end() const {
    std::int64_t numbers = 0;
    std::size_t end = next_;
    while (end < texts_.size()) {
        numbers += std::int64_t{texts_[end].size()} * start_->model.d_model * start_->model.layers;
        if (end > next_ && numbers > bytes_of_one_need / 4) break;
        ++end;
    }
    return end;
}

sdk::Reply SteeringVector::next() {
    if (next_ == texts_.size()) return done();
    sdk::Run run;
    run.rows.assign(texts_.begin() + static_cast<std::ptrdiff_t>(next_),
                    texts_.begin() + static_cast<std::ptrdiff_t>(end()));
    for (int layer = 0; layer < start_->model.layers; ++layer)
        run.captures.push_back(hook(layer));
    run.positions = sdk::Json::array();
    sdk::Need need;
    need.runs = {std::move(run)};
    need.progress = static_cast<double>(next_) / static_cast<double>(texts_.size());
    return need;
}

SteeringVector::Vector SteeringVector::read(sdk::View activations, const sdk::Row& row) const {
    const std::int64_t tokens = activations.size(0);
    std::vector<std::int64_t> chosen;
    if (read_ == "mean")
        for (std::int64_t pos = 0; pos < tokens; ++pos) {
            const auto at = static_cast<std::size_t>(pos);
            const bool special = at < row.special.size() && row.special[at];
            const bool out = exclude_ != "none" && (special || (exclude_ == "first" && pos == 0));
            if (!out) chosen.push_back(pos);
        }
    if (chosen.empty()) chosen = {tokens - 1};
    Vector mean(static_cast<std::size_t>(start_->model.d_model));
    for (const std::int64_t pos : chosen) {
        std::size_t channel = 0;
        for (const float x : activations[pos])
            mean[channel++] += static_cast<double>(x) / static_cast<double>(chosen.size());
    }
    return mean;
}

sdk::Reply SteeringVector::step(const sdk::Answer& answer) {
    const std::size_t last = end();
    for (std::size_t text = next_; text < last; ++text)
        for (int layer = 0; layer < start_->model.layers; ++layer)
            found_[static_cast<std::size_t>(layer)].push_back(
                read(answer.capture(0, static_cast<int>(text - next_), hook(layer)), texts_[text]));
    next_ = last;
    return next();
}

/// Share of texts x with (x − (a + b)/2)·(a − b) on their own side, a and b the sides' means without x and
/// without a text of the other side, in turn: the one that stands against it where texts come in pairs.
double SteeringVector::accuracy(std::size_t layer, const std::vector<char>& is_for) const {
    const auto& texts = found_[layer];
    const auto width = texts.front().size();
    std::array<Vector, 2> sums{Vector(width), Vector(width)};
    std::array<std::vector<std::size_t>, 2> sides;
    for (std::size_t text = 0; text < texts.size(); ++text) {
        const auto side = static_cast<std::size_t>(is_for[text]);
        sides[side].push_back(text);
        for (std::size_t i = 0; i < width; ++i)
            sums[side][i] += texts[text][i];
    }
    if (sides[0].size() < 2 || sides[1].size() < 2) return std::nan("");
    double right = 0;
    for (const std::size_t own : {std::size_t{0}, std::size_t{1}}) {
        const std::size_t other = 1 - own;
        const double mine = static_cast<double>(sides[own].size()) - 1;
        const double theirs = static_cast<double>(sides[other].size()) - 1;
        for (std::size_t at = 0; at < sides[own].size(); ++at) {
            const Vector& x = texts[sides[own][at]];
            const Vector& against = texts[sides[other][at % sides[other].size()]];
            double along = 0;
            for (std::size_t i = 0; i < width; ++i) {
                const double a = (sums[own][i] - x[i]) / mine, b = (sums[other][i] - against[i]) / theirs;
                along += (x[i] - (a + b) / 2) * (a - b);
            }
            right += along > 0 ? 1 : along == 0 ? 0.5 : 0;
        }
    }
    return right / static_cast<double>(texts.size());
}

sdk::Done SteeringVector::done() {
    const auto layers = static_cast<std::int64_t>(found_.size());
    const std::int64_t width = start_->model.d_model;
    auto vector = sdk::ResultData::array("vector", "series", {{"channel", width, {}}});
    auto accuracies = sdk::ResultData::array("accuracy", "series", {{"layer", layers, {}}});
    auto control = sdk::ResultData::array("control", "series", {{"layer", layers, {}}});
    auto norm = sdk::ResultData::array("norm", "series", {{"layer", layers, {}}});
    auto relative = sdk::ResultData::array("relative_norm", "series", {{"layer", layers, {}}});
    std::vector<char> sides(texts_.size());
    std::fill_n(sides.begin(), for_it_, 1);
    std::vector<std::vector<char>> deals(static_cast<std::size_t>(draws_), sides);
    for (auto& deal : deals)
        for (std::size_t i = deal.size() - 1; i > 0; --i)
            std::swap(deal[i], deal[random_() % (i + 1)]);
    for (std::size_t layer = 0; layer < found_.size(); ++layer) {
        Vector difference(static_cast<std::size_t>(width));
        double lengths = 0;
        for (std::size_t text = 0; text < texts_.size(); ++text) {
            const double weight = text < for_it_ ? 1 / static_cast<double>(for_it_)
                                                 : -1 / static_cast<double>(texts_.size() - for_it_);
            for (std::size_t i = 0; i < difference.size(); ++i)
                difference[i] += weight * found_[layer][text][i];
            lengths += length_of(found_[layer][text]) / static_cast<double>(texts_.size());
        }
        norm.data[layer] = length_of(difference);
        relative.data[layer] = norm.data[layer] / lengths;
        accuracies.data[layer] = accuracy(layer, sides);
        double sum = 0;
        for (const auto& deal : deals)
            sum += accuracy(layer, deal);
        if (draws_ > 0) control.data[layer] = sum / draws_;
        if (layer != static_cast<std::size_t>(layer_)) continue;
        const bool unit = start_->text("scale") == "unit" && norm.data[layer] > 0;
        const double factor = unit ? 1 / norm.data[layer] : 1;
        for (std::size_t i = 0; i < difference.size(); ++i)
            vector.data[i] = factor * difference[i];
    }
    sdk::Done done;
    done.results = {std::move(vector), std::move(accuracies)};
    if (draws_ > 0) done.results.push_back(std::move(control));
    done.results.push_back(std::move(norm));
    done.results.push_back(std::move(relative));
    std::string note = std::to_string(for_it_) + " texts against " + std::to_string(texts_.size() - for_it_) +
                       ". Written with --data F.npy the vector steers by --edit \"" + hook(layer_) +
                       " add 1*@F.npy\".";
    if (for_it_ < 2 || texts_.size() - for_it_ < 2) note += " Accuracy needs two texts in each set.";
    done.results.push_back(sdk::ResultData::text("note", note));
    return done;
}

} // namespace vitrine::analysis
