#pragma once
// A sink's column of scores, taken apart into what every query gives it and what depends on the query.
#include <vector>

#include "core/sdk/pattern_walk.h"

namespace vitrine::analysis {

/// Of one head in one row, over the queries that come after the sink and see it. The margin of a query is its
/// score at the sink minus the mean of its scores at the other keys that it sees.
struct KeyBias {
    double score = 0, score_variance = 0;   ///< of the score at the sink: mean, variance over queries
    double margin = 0, margin_variance = 0; ///< of the margin
    double alpha = 0;                       ///< mean attention on the sink
    double alpha_of_bias = 0;               ///< the same if every query had the mean margin
    int queries = 0;
};

/// `scores` is [query, key] before the softmax, −∞ where a key is hidden.
KeyBias key_bias(sdk::View scores, int key);

class SinkKeyBias : public sdk::PatternWalk {
public:
    static sdk::Manifest manifest();

protected:
    std::optional<sdk::Failure> begin(const sdk::Start& start) override;
    void visit(int row, int layer, sdk::View scores, const Besides& besides) override;
    sdk::Reply finish() override;

private:
    std::vector<int> keys_;    // by row
    std::vector<KeyBias> sum_; // layer × head, over rows
    std::vector<int> rows_seen_;
};

} // namespace vitrine::analysis
