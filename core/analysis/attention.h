#pragma once
#include "core/sdk/pattern_walk.h"

namespace vitrine::analysis {

/// The attention itself: patterns, scores before the softmax, or patterns weighted by what is moved.
class Attention : public sdk::PatternWalk {
public:
    static sdk::Manifest manifest();

protected:
    std::optional<sdk::Failure> begin(const sdk::Start& start) override;
    void visit(int row, int layer, sdk::View pattern, const Besides& besides) override;
    sdk::Reply finish() override;

private:
    enum class Show { pattern, score, value_weighted, value_norm };

    Show show_ = Show::pattern;
    int first_layer_ = 0, first_head_ = 0, heads_ = 0, layers_ = 0;
    sdk::ResultData stack_; // [row] layer × head × query × key
};

} // namespace vitrine::analysis
