#pragma once
// Sinks that are not the first: hidden ones by the rule of ACT, secondary ones by their alpha.
#include <vector>

#include "core/sdk/pattern_walk.h"

namespace vitrine::analysis {

/// Columns j of one head's pattern with Σ_i A[i,j]/(T−j) > threshold that at least `queries` queries see,
/// the first detected included, in order.
std::vector<int> sink_columns(sdk::View pattern, double threshold, int queries);

class SinkHidden : public sdk::PatternWalk {
public:
    static sdk::Manifest manifest();

protected:
    std::optional<sdk::Failure> begin(const sdk::Start& start) override;
    void visit(int row, int layer, sdk::View pattern, const Besides& besides) override;
    sdk::Reply finish() override;

private:
    double threshold_ = 0, epsilon_ = 0;
    int queries_ = 1;
    sdk::ResultData map_;    // [row ×] layer × pos: heads with a hidden sink there
    sdk::ResultData hidden_; // layer × head: hidden sinks of a row, mean over rows
    struct Column {
        int row, layer, head, key;
        double alpha;
    };
    std::vector<Column> found_;
    struct Key {
        int heads = 0; // above epsilon
        double sum = 0, largest = 0;
        int layer = 0, head = 0; // of the largest
    };
    std::vector<std::vector<Key>> keys_; // row, key
    std::size_t few_ = 0;                // hidden sinks that few queries see
};

} // namespace vitrine::analysis
