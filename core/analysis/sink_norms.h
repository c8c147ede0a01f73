#pragma once
// Norms of what a sink is made of, and the massive activations beside it.
#include <vector>

#include "core/sdk/pattern_walk.h"

namespace vitrine::analysis {

/// L2 norm of the last axis at one position (and head) of a capture.
double norm_of(sdk::View vector);

/// The median of some numbers; NaN of none.
double median_of(std::vector<double> values);

class SinkNorms : public sdk::PatternWalk {
public:
    static sdk::Manifest manifest();

protected:
    std::optional<sdk::Failure> begin(const sdk::Start& start) override;
    void visit(int row, int layer, sdk::View resid_post, const Besides& besides) override;
    sdk::Reply finish() override;
    std::int64_t layer_bytes(std::int64_t length) const override;

private:
    struct Kind {
        sdk::ResultData norms; // [row ×] layer × pos, or with heads before pos
        std::string hook;
        std::vector<double> sink, others; // by layer: mean over rows
        bool there = false;
    };
    void measure(Kind& kind, int row, int layer, sdk::View values);
    void find_massive(int row, int layer, sdk::View resid_post);
    void keep_the_largest();

    std::vector<int> keys_; // by row
    double magnitude_ = 0, ratio_ = 0;
    std::size_t most_ = 0;
    std::vector<Kind> kinds_;
    sdk::Json massive_ = sdk::Json::array();
    std::size_t found_ = 0; // massive numbers in all; massive_ keeps the largest
};

} // namespace vitrine::analysis
