#include <algorithm>
#include <cmath>

#include "core/analysis/axes.h"
#include "core/analysis/sinks.h"

namespace vitrine::analysis {

namespace {

// Below this length even a head that looks at all keys alike comes near the threshold, so there is no rate.
constexpr int shortest_row = 64;

// "4 rows of 64 tokens" or "4 rows of 64 to 200 tokens", and whether a special token starts them.
std::string describe(const std::vector<sdk::Row>& rows) {
    int shortest = rows.front().size();
    int longest = shortest;
    std::size_t with_bos = 0;
    for (const sdk::Row& row : rows) {
        shortest = std::min(shortest, row.size());
        longest = std::max(longest, row.size());
        with_bos += row.special.front() ? 1 : 0;
    }
    std::string text = std::to_string(rows.size()) + (rows.size() == 1 ? " row of " : " rows of ");
    text += std::to_string(shortest);
    if (longest > shortest) text += " to " + std::to_string(longest);
    text += longest == 1 ? " token; " : " tokens; ";
    if (with_bos == rows.size()) return text + "a special token (BOS) comes first.";
    if (with_bos == 0) return text + "no special token (BOS) comes first.";
    return text + "a special token (BOS) comes first in " + std::to_string(with_bos) + " of them.";
}

} // namespace

sdk::Manifest SinkRate::manifest() {
    return sdk::Manifest("sink-rate", "Sink rate")
        .summary("Share of heads, over samples and layers, whose alpha at a key exceeds epsilon (strictly), "
                 "in percent; alpha_k = 1/(T−k) Σ_{i≥k} A[i,k]. Published for 100 sequences of T = 64 and "
                 "epsilon 0.3. A uniform head itself has alpha H_T/T (0.0741 at T = 64) and passes 0.3 for T "
                 "up to 9, so with a row of fewer than 64 tokens there is no rate (null, the note says why); "
                 "alpha is given all the same.")
        .citation("Gu et al. 2024, When Attention Sink Emerges in Language Models")
        .number("epsilon", 0.3, "alpha above which a head sinks", 0, 1)
        .integer("key", 0, "position of the key; negative from the end of each row")
        .result("sink_rate", "number", "percent; null with rows shorter than 64 tokens")
        .result("alpha", "matrix", "layer × head; mean over rows")
        .result("uniform", "number", "alpha of a head that looks at all keys alike; mean over rows")
        .result("note", "text", "rows, their length, whether a BOS is present, why there is no rate");
}

std::optional<sdk::Failure> SinkRate::begin(const sdk::Start& start) {
    epsilon_ = start.number("epsilon");
    for (std::size_t row = 0; row < start.rows.size(); ++row) {
        const auto key = start.positions("key", start.rows[row].size());
        if (!key)
            return sdk::Failure{"out-of-range",
                                "Row " + std::to_string(row) + " has " +
                                    std::to_string(start.rows[row].size()) + " tokens, so there is no key " +
                                    std::to_string(start.integer("key")) + ": choose a smaller one."};
        keys_.push_back(key->front());
    }
    alpha_ = layer_by_head("alpha", start.model);
    return std::nullopt;
}

void SinkRate::visit(int row, int layer, sdk::View pattern, const Besides&) {
    for (int head = 0; head < pattern.size(0); ++head) {
        const double alpha = sink_alpha(pattern[head], keys_[static_cast<std::size_t>(row)]);
        alpha_(layer, head) += alpha / static_cast<double>(rows().size());
        if (alpha > epsilon_) ++above_;
        ++heads_;
    }
}

sdk::Reply SinkRate::finish() {
    double uniform = 0;
    for (std::size_t row = 0; row < rows().size(); ++row)
        uniform +=
            uniform_alpha(model(), rows()[row].size(), keys_[row]) / static_cast<double>(rows().size());
    const bool too_short = std::any_of(rows().begin(), rows().end(),
                                       [](const sdk::Row& row) { return row.size() < shortest_row; });
    std::string note = describe(rows());
    if (too_short) note += " No rate: it needs rows of at least 64 tokens.";
    const double rate =
        too_short ? std::nan("") : 100.0 * static_cast<double>(above_) / static_cast<double>(heads_);
    return sdk::Done{{sdk::ResultData::number("sink_rate", rate), alpha_,
                      sdk::ResultData::number("uniform", uniform), sdk::ResultData::text("note", note)}};
}

} // namespace vitrine::analysis
