#include "core/analysis/sink_key_bias.h"

#include <algorithm>
#include <cmath>

#include "core/analysis/axes.h"
#include "core/analysis/sink_rows.h"

namespace vitrine::analysis {

namespace {

// One query's look at the sink.
struct Look {
    double score, others; // at the sink; mean over the other visible keys
    double others_sum;    // ln Σ exp of the others
};

double attention(double sink, double others_sum) { return 1 / (1 + std::exp(others_sum - sink)); }

} // namespace

KeyBias key_bias(sdk::View scores, int key) {
    std::vector<Look> looks;
    const auto length = static_cast<int>(scores.size(0));
    for (int query = key + 1; query < length; ++query) {
        const double score = scores(query, key);
        if (!std::isfinite(score)) continue;
        double sum = 0, largest = -INFINITY;
        int count = 0;
        for (int j = 0; j <= query; ++j) {
            const double other = scores(query, j);
            if (j == key || !std::isfinite(other)) continue;
            sum += other;
            largest = std::max(largest, other);
            ++count;
        }
        if (count == 0) continue;
        double exponentials = 0;
        for (int j = 0; j <= query; ++j)
            if (j != key) exponentials += std::exp(static_cast<double>(scores(query, j)) - largest);
        looks.push_back({score, sum / count, largest + std::log(exponentials)});
    }
    KeyBias bias;
    bias.queries = static_cast<int>(looks.size());
    const double weight = 1.0 / bias.queries;
    for (const Look& look : looks) {
        bias.score += weight * look.score;
        bias.margin += weight * (look.score - look.others);
    }
    for (const Look& look : looks) {
        bias.score_variance += weight * std::pow(look.score - bias.score, 2);
        bias.margin_variance += weight * std::pow(look.score - look.others - bias.margin, 2);
        bias.alpha += weight * attention(look.score, look.others_sum);
        bias.alpha_of_bias += weight * attention(look.others + bias.margin, look.others_sum);
    }
    return bias;
}

sdk::Manifest SinkKeyBias::manifest() {
    const auto one = [](const std::string& what) { return "layer × head; " + what; };
    return sdk::Manifest("sink-key-bias", "The sink as a key bias")
        .summary(
            "Whether a sink is a constant: is its score the same whatever the query is? The score of query i "
            "at the sink (before the softmax, rotation and scale in it) counts against the mean of its "
            "scores at the other keys that it sees, since a softmax knows differences only: their "
            "difference is the margin. Its mean over queries is the query-independent part (the key bias), "
            "what is left is the query-dependent part; `share` is bias² / (bias² + variance). "
            "`alpha_of_bias` is the attention that the sink would get if every query had the mean margin: "
            "near `alpha`, the sink is a bias. The split is our own definition. Means over the queries "
            "after the sink, then over rows.")
        .citation("own definition; after Gu et al. 2024, When Attention Sink Emerges in Language Models")
        .integer("key", 0, "position of the sink; negative from the end of each row")
        .result("bias", "matrix", one("mean margin, the query-independent part"))
        .result("deviation", "matrix", one("standard deviation of the margin over queries"))
        .result("share", "matrix", one("of the margin's mean square that no query changes, 0 to 1"))
        .result("alpha", "matrix", one("mean attention on the sink, of queries after it"))
        .result("alpha_of_bias", "matrix", one("the same from the query-independent part alone"))
        .result("score", "matrix", one("mean score at the sink"))
        .result("score_deviation", "matrix", one("standard deviation of the score over queries"))
        .result("note", "text", "rows, and whether a BOS is present");
}

std::optional<sdk::Failure> SinkKeyBias::begin(const sdk::Start& start) {
    if (auto failure = keys_of(start, "key", keys_)) return failure;
    for (std::size_t row = 0; row < start.rows.size(); ++row)
        if (start.rows[row].size() < keys_[row] + 3)
            return sdk::Failure{"out-of-range", "Row " + std::to_string(row) +
                                                    " has fewer than two queries after the sink: give a "
                                                    "longer text, or a smaller key."};
    use_hook("attn.hook_attn_scores");
    const auto heads =
        static_cast<std::size_t>(start.model.layers) * static_cast<std::size_t>(start.model.heads);
    sum_.resize(heads);
    rows_seen_.resize(heads);
    return std::nullopt;
}

void SinkKeyBias::visit(int row, int layer, sdk::View scores, const Besides&) {
    for (int head = 0; head < scores.size(0); ++head) {
        const KeyBias bias = key_bias(scores[head], keys_[static_cast<std::size_t>(row)]);
        if (bias.queries == 0) continue; // a window so narrow that no query sees sink and others
        const auto at = static_cast<std::size_t>(layer * model().heads + head);
        KeyBias& sum = sum_[at];
        sum.score += bias.score;
        sum.score_variance += bias.score_variance;
        sum.margin += bias.margin;
        sum.margin_variance += bias.margin_variance;
        sum.alpha += bias.alpha;
        sum.alpha_of_bias += bias.alpha_of_bias;
        ++rows_seen_[at];
    }
}

sdk::Reply SinkKeyBias::finish() {
    const auto matrix = [&](const char* name, auto value) {
        auto result = layer_by_head(name, model(), std::nan(""));
        for (std::size_t at = 0; at < sum_.size(); ++at)
            if (rows_seen_[at] > 0) result.data[at] = value(sum_[at], static_cast<double>(rows_seen_[at]));
        return result;
    };
    return sdk::Done{
        {matrix("bias", [](const KeyBias& sum, double rows) { return sum.margin / rows; }),
         matrix("deviation",
                [](const KeyBias& sum, double rows) { return std::sqrt(sum.margin_variance / rows); }),
         matrix("share",
                [](const KeyBias& sum, double rows) {
                    const double square = std::pow(sum.margin / rows, 2);
                    const double all = square + sum.margin_variance / rows;
                    return all > 0 ? square / all : 0;
                }),
         matrix("alpha", [](const KeyBias& sum, double rows) { return sum.alpha / rows; }),
         matrix("alpha_of_bias", [](const KeyBias& sum, double rows) { return sum.alpha_of_bias / rows; }),
         matrix("score", [](const KeyBias& sum, double rows) { return sum.score / rows; }),
         matrix("score_deviation",
                [](const KeyBias& sum, double rows) { return std::sqrt(sum.score_variance / rows); }),
         sdk::ResultData::text("note", describe_rows(rows()))}};
}

} // namespace vitrine::analysis
