#pragma once
#include "core/sdk/pattern_walk.h"

namespace vitrine::analysis {

/// Entropy of attention: H(i) = −Σ_j A[i,j] ln A[i,j], mean over queries, then over rows.
class HeadEntropy : public sdk::PatternWalk {
public:
    static sdk::Manifest manifest();

protected:
    std::optional<sdk::Failure> begin(const sdk::Start& start) override;
    void visit(int row, int layer, sdk::View pattern, const Besides& besides) override;
    sdk::Reply finish() override;

private:
    bool normalise_ = false;
    sdk::ResultData entropy_; // layer × head
};

} // namespace vitrine::analysis
