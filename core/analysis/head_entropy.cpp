#include "core/analysis/head_entropy.h"

#include <algorithm>
#include <cmath>

#include "core/analysis/axes.h"

namespace vitrine::analysis {

namespace {

constexpr int bins = 20;

// −Σ p ln p.
double term(double p) { return p > 0 ? -p * std::log(p) : 0; }

// Two digits after the point, without a locale.
std::string hundredths(double value) {
    const long whole = std::lround(value * 100);
    const std::string digits = std::to_string(whole % 100);
    return std::to_string(whole / 100) + "." + (digits.size() < 2 ? "0" : "") + digits;
}

} // namespace

sdk::Manifest HeadEntropy::manifest() {
    return sdk::Manifest("head-entropy", "Entropy of attention heads")
        .summary("H(i) = −Σ_j A[i,j] ln A[i,j] in nats, mean over queries and over rows of equal weight. "
                 "Normalised: divided by ln of the keys that a query sees; queries that see one key are left "
                 "out. Near 1 in early layers is called entropic overload, near 0 in deep layers entropy "
                 "collapse. A head parked on a sink also has low entropy and is not collapsed: it is called "
                 "a sink where its mass on the sink keys, mean over the queries that see another key too, "
                 "exceeds a threshold; its entropy without the sink keys, renormalised, stands beside. The "
                 "thresholds are our own.")
        .citation("Jha and Reagen 2025, Entropy-Guided Attention for Private LLMs")
        .boolean("normalise", false, "divide by ln of the visible keys")
        .positions("sink_keys", 0, "keys that count as sinks")
        .number("sink", 0.5, "sink mass above which a head is a sink", 0, 1)
        .number("overload", 0.9, "normalised entropy above which an early head is overloaded", 0, 1)
        .number("collapse", 0.1, "normalised entropy below which a deep head is collapsed", 0, 1)
        .number("early", 0.5, "share of the layers that count as early; the others are deep", 0, 1)
        .result("entropy", "matrix", "layer × head; nats, or a share if normalised")
        .result("normalised", "matrix", "layer × head; share of ln(visible keys), in [0, 1]")
        .result("without_sinks", "matrix",
                "layer × head; entropy over the other keys, nats, or a share of ln of these if normalised")
        .result("sink_mass", "matrix", "layer × head; mean attention on the sink keys")
        .result("histogram", "histogram", "heads by normalised entropy")
        .result("heads", "table", "of each head: the numbers, and sink, overload, collapse or neither")
        .result("note", "text", "the thresholds, and how many heads they name");
}

std::optional<sdk::Failure> HeadEntropy::begin(const sdk::Start& start) {
    normalise_ = start.flag("normalise");
    sink_ = start.number("sink");
    overload_ = start.number("overload");
    collapse_ = start.number("collapse");
    early_ = start.number("early");
    for (std::size_t row = 0; row < start.rows.size(); ++row) {
        if (normalise_ && start.rows[row].size() < 2)
            return sdk::Failure{"out-of-range", "Normalised entropy needs rows of at least two tokens: the "
                                                "first query sees one key only."};
        auto sinks = start.positions("sink_keys", start.rows[row].size());
        if (!sinks)
            return sdk::Failure{"out-of-range", "A sink key lies outside row " + std::to_string(row) +
                                                    ", which has " + std::to_string(start.rows[row].size()) +
                                                    " tokens: choose another one."};
        std::sort(sinks->begin(), sinks->end());
        sinks->erase(std::unique(sinks->begin(), sinks->end()), sinks->end());
        sinks_.push_back(std::move(*sinks));
    }
    raw_ = layer_by_head("raw", start.model);
    normalised_ = layer_by_head("normalised", start.model);
    rest_ = layer_by_head("without_sinks", start.model);
    rest_normalised_ = layer_by_head("without_sinks", start.model);
    sink_mass_ = layer_by_head("sink_mass", start.model);
    return std::nullopt;
}

void HeadEntropy::add(Sums& sums, sdk::View weights, int layer, int query,
                      const std::vector<int>& sinks) const {
    const int visible = model().visible_keys(layer, query);
    double entropy = 0;
    for (const float a : weights)
        entropy += term(a);
    sums.raw += entropy;
    ++sums.queries;
    if (visible >= 2) {
        sums.normalised += entropy / std::log(static_cast<double>(visible));
        ++sums.several;
    }
    double mass = 0, removed = 0;
    int seen = 0;
    for (const int key : sinks) {
        if (key > query || query - key >= visible) continue;
        ++seen;
        mass += weights(key);
        removed += term(weights(key));
    }
    const int others = visible - seen;
    if (others < 1) return;
    sums.sink += mass;
    ++sums.with_choice;
    // From Σ −a ln a over the other keys, whose weights sum to `left`: −Σ (a/left) ln (a/left).
    double left = 0;
    if (seen == 0)
        left = 1;
    else
        for (int key = query - visible + 1; key <= query; ++key)
            if (!std::binary_search(sinks.begin(), sinks.end(), key)) left += weights(key);
    if (left <= 0) return;
    const double rest = seen == 0 ? entropy : (entropy - removed) / left + std::log(left);
    sums.rest += rest;
    ++sums.with_rest;
    if (others >= 2) {
        sums.rest_normalised += rest / std::log(static_cast<double>(others));
        ++sums.several_of_rest;
    }
}

void HeadEntropy::visit(int row, int layer, sdk::View pattern, const Besides&) {
    const auto queries = static_cast<int>(pattern.size(1));
    const auto share = [this](double sum, int count) {
        return sum / count / static_cast<double>(rows().size()); // NaN where no query counts
    };
    for (int head = 0; head < pattern.size(0); ++head) {
        Sums sums;
        for (int query = 0; query < queries; ++query)
            add(sums, pattern[head][query], layer, query, sinks_[static_cast<std::size_t>(row)]);
        raw_(layer, head) += share(sums.raw, sums.queries);
        normalised_(layer, head) += share(sums.normalised, sums.several);
        rest_(layer, head) += share(sums.rest, sums.with_rest);
        rest_normalised_(layer, head) += share(sums.rest_normalised, sums.several_of_rest);
        sink_mass_(layer, head) += share(sums.sink, sums.with_choice);
    }
}

const char* HeadEntropy::label_of(int layer, int head) {
    const double entropy = normalised_(layer, head);
    if (std::isnan(entropy)) return "unknown";
    if (sink_mass_(layer, head) > sink_) return "sink";
    const bool early = layer < early_ * model().layers;
    if (early && entropy > overload_) return "overload";
    if (!early && entropy < collapse_) return "collapse";
    return "neither";
}

sdk::ResultData HeadEntropy::labels() {
    const auto value = [](double number) { return std::isnan(number) ? sdk::Json() : sdk::Json(number); };
    sdk::Json table = sdk::Json::array();
    for (int layer = 0; layer < model().layers; ++layer)
        for (int head = 0; head < model().heads; ++head)
            table.push_back({{"layer", layer},
                             {"head", head},
                             {"label", label_of(layer, head)},
                             {"entropy", value(raw_(layer, head))},
                             {"normalised", value(normalised_(layer, head))},
                             {"without_sinks", value(rest_(layer, head))},
                             {"sink_mass", value(sink_mass_(layer, head))}});
    return sdk::ResultData::table("heads", std::move(table));
}

sdk::ResultData HeadEntropy::histogram() const {
    sdk::Axis axis{"normalised entropy", bins};
    for (int bin = 0; bin < bins; ++bin)
        axis.labels.push_back(hundredths(static_cast<double>(bin) / bins));
    auto result = sdk::ResultData::array("histogram", "histogram", {axis});
    result.whole = true;
    std::fill(result.data.begin(), result.data.end(), 0.0);
    for (const double entropy : normalised_.data)
        if (!std::isnan(entropy))
            ++result.data[static_cast<std::size_t>(
                std::clamp(static_cast<int>(std::floor(entropy * bins)), 0, bins - 1))];
    return result;
}

std::string HeadEntropy::note() const {
    return "Sink: mass above " + hundredths(sink_) + ". Overload: normalised entropy above " +
           hundredths(overload_) + " in the first " + std::to_string(std::lround(early_ * 100)) +
           " % of the layers. Collapse: below " + hundredths(collapse_) + " in the others.";
}

sdk::Reply HeadEntropy::finish() {
    sdk::ResultData entropy = normalise_ ? normalised_ : raw_;
    entropy.name = "entropy";
    sdk::ResultData table = labels();
    std::string said = note();
    for (const char* label : {"sink", "overload", "collapse", "neither"}) {
        const auto count = std::count_if(table.value.begin(), table.value.end(),
                                         [&](const sdk::Json& head) { return head.at("label") == label; });
        said += (std::string(label) == "sink" ? " Heads: " : ", ") + std::to_string(count) + " " + label;
    }
    return sdk::Done{{entropy, normalised_, normalise_ ? rest_normalised_ : rest_, sink_mass_, histogram(),
                      std::move(table), sdk::ResultData::text("note", said + ".")}};
}

} // namespace vitrine::analysis
