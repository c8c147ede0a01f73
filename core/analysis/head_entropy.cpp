#include "core/analysis/head_entropy.h"

#include <cmath>

#include "core/analysis/axes.h"

namespace vitrine::analysis {

sdk::Manifest HeadEntropy::manifest() {
    return sdk::Manifest("head-entropy", "Entropy of attention heads")
        .summary("H(i) = −Σ_j A[i,j] ln A[i,j] in nats, mean over queries and over rows of equal weight. "
                 "Normalised: divided by ln of the keys that a query sees; queries that see one key are left "
                 "out. Near 1 in early layers is called entropic overload, near 0 in deep layers entropy "
                 "collapse; a head parked on a sink also has low entropy and is not collapsed.")
        .citation("Jha and Reagen 2025, Entropy-Guided Attention for Private LLMs")
        .boolean("normalise", false, "divide by ln of the visible keys")
        .result("entropy", "matrix", "layer × head; nats, or a share if normalised");
}

std::optional<sdk::Failure> HeadEntropy::begin(const sdk::Start& start) {
    normalise_ = start.flag("normalise");
    for (const sdk::Row& row : start.rows)
        if (normalise_ && row.size() < 2)
            return sdk::Failure{"out-of-range", "Normalised entropy needs rows of at least two tokens: the "
                                                "first query sees one key only."};
    entropy_ = layer_by_head("entropy", start.model);
    return std::nullopt;
}

void HeadEntropy::visit(int, int layer, sdk::View pattern, const Besides&) {
    const auto queries = static_cast<int>(pattern.size(1));
    for (int head = 0; head < pattern.size(0); ++head) {
        double sum = 0;
        int counted = 0;
        for (int query = 0; query < queries; ++query) {
            const int visible = model().visible_keys(layer, query);
            if (normalise_ && visible < 2) continue;
            double entropy = 0;
            for (const float a : pattern[head][query])
                if (a > 0) entropy -= a * std::log(static_cast<double>(a));
            sum += normalise_ ? entropy / std::log(static_cast<double>(visible)) : entropy;
            ++counted;
        }
        entropy_(layer, head) += sum / counted / static_cast<double>(rows().size());
    }
}

sdk::Reply HeadEntropy::finish() { return sdk::Done{{entropy_}}; }

} // namespace vitrine::analysis
