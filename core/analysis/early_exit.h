#pragma once
#include <vector>

#include "core/analysis/lens_walk.h"

namespace vitrine::analysis {

/// How good the model would be, and how alike its end, if it stopped at a layer.
class EarlyExit : public LensWalk {
public:
    static sdk::Manifest manifest();

protected:
    std::optional<sdk::Failure> begin(const sdk::Start& start) override;
    void visit(const Place& place) override;
    sdk::Reply finish() override;

private:
    int settled_ = 0;                  // first layer from which the top token stays the last one's
    int places_ = 0, with_next_ = 0;   // positions read, and those of them that a token follows
    std::vector<double> same_, right_; // by layer: top token is the final one, is the next token
    std::vector<double> loss_, kl_;    // by layer, sums in nats
    std::vector<double> settled_from_; // by layer: positions settled there
};

} // namespace vitrine::analysis
