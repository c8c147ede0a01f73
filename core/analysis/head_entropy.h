#pragma once
#include "core/sdk/pattern_walk.h"

namespace vitrine::analysis {

/// Entropy of attention, H(i) = −Σ_j A[i,j] ln A[i,j], mean over queries, then over rows: raw, as a share of
/// ln(visible keys), and without the sink keys; and what that says of each head.
class HeadEntropy : public sdk::PatternWalk {
public:
    static sdk::Manifest manifest();

protected:
    std::optional<sdk::Failure> begin(const sdk::Start& start) override;
    void visit(int row, int layer, sdk::View pattern, const Besides& besides) override;
    sdk::Reply finish() override;

private:
    /// Sums over the queries of one head in one row; a count of its own where queries are left out.
    struct Sums {
        double raw = 0, normalised = 0, rest = 0, rest_normalised = 0, sink = 0;
        int queries = 0, several = 0, with_rest = 0, several_of_rest = 0, with_choice = 0;
    };
    /// What one query of a head adds.
    void add(Sums& sums, sdk::View weights, int layer, int query, const std::vector<int>& sinks) const;
    const char* label_of(int layer, int head);
    sdk::ResultData labels();
    sdk::ResultData histogram() const;
    std::string note() const;

    bool normalise_ = false;
    double sink_ = 0, overload_ = 0, collapse_ = 0, early_ = 0;
    std::vector<std::vector<int>> sinks_; // by row
    // layer × head, means over rows
    sdk::ResultData raw_, normalised_, rest_, rest_normalised_, sink_mass_;
};

} // namespace vitrine::analysis
