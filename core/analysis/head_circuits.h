#pragma once
// The weights of every head as the two circuits of Elhage et al. 2021, kept as products of thin factors.
#include <optional>
#include <string>
#include <vector>

#include "core/analysis/dense.h"
#include "core/sdk/analysis.h"

namespace vitrine::analysis {

/// What a head does to a row vector x of what it reads: OV(x) = x · ov_in · ov_out; score(query, key) = scale
/// · (query · qk_query) · (key · qk_key)ᵀ. The rotation between query and key, the weights of norms of
/// queries and keys, and the scale are in qk_query. Biases are in neither.
struct HeadCircuit {
    Dense ov_in;    ///< W_V [d_model, d_head]
    Dense ov_out;   ///< W_O [d_head, d_model]
    Dense qk_query; ///< [d_model, d_head]
    Dense qk_key;   ///< W_K [d_model, d_head]
};

/// Walks the layers and gives their heads' circuits one after another; a layer's weights are held while it is
/// looked at.
class CircuitWalk : public sdk::Analysis {
public:
    sdk::Reply start(const sdk::Start& start) final;
    sdk::Reply step(const sdk::Answer& answer) final;

    /// Adds `coordinates` and `offset`.
    static sdk::Manifest& add_parameters(sdk::Manifest& manifest);

protected:
    virtual std::optional<sdk::Failure> begin(const sdk::Start& start) = 0;
    /// All heads of a layer, in order. False once the user has cancelled.
    virtual bool visit(int layer, const std::vector<HeadCircuit>& heads) = 0;
    virtual sdk::Reply finish() = 0;

    const sdk::ModelFacts& model() const { return start_->model; }
    /// What the numbers leave out and hold to, in words; for a result of kind text.
    std::string conditions() const;
    double progress(int layer, double share) const;

private:
    sdk::Need need() const;
    HeadCircuit circuit(const sdk::Answer& answer, int head) const;
    Dense rotation() const;
    void weigh(const sdk::Answer& answer, const char* norm, int head, Dense& projection) const;

    const sdk::Start* start_ = nullptr;
    int offset_ = 0;
    int layer_ = 0;
};

} // namespace vitrine::analysis
