#pragma once
#include "core/sdk/pattern_walk.h"

namespace vitrine::analysis {

/// What reaches each layer from each input token if attention and the residual stream pass on halves.
class AttentionRollout : public sdk::PatternWalk {
public:
    static sdk::Manifest manifest();

protected:
    std::optional<sdk::Failure> begin(const sdk::Start& start) override;
    void visit(int row, int layer, sdk::View pattern, const Besides& besides) override;
    sdk::Reply finish() override;

private:
    sdk::ResultData stack_;       // [row] layer × query × key
    std::vector<double> reached_; // query × key, up to the layer visited last
};

} // namespace vitrine::analysis
