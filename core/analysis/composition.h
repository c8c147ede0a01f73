#pragma once
#include <array>
#include <vector>

#include "core/analysis/head_circuits.h"

namespace vitrine::analysis {

/// How much each head reads what each earlier head writes.
class Composition : public CircuitWalk {
public:
    static sdk::Manifest manifest();

protected:
    std::optional<sdk::Failure> begin(const sdk::Start& start) override;
    bool visit(int layer, const std::vector<HeadCircuit>& heads) override;
    sdk::Reply finish() override;

private:
    /// All heads of a layer side by side, in float32 for the product.
    struct Side {
        std::vector<float> data;
        std::vector<double> norms; ///< of each head's whole circuit
    };
    bool compare(int layer, int earlier, int kind, const Side& readers);

    std::vector<Side> writers_;             // by layer: [heads · d_head, d_model], R_V W_O
    std::array<sdk::ResultData, 3> scores_; // Q, K, V
};

} // namespace vitrine::analysis
