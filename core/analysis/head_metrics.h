#pragma once
#include <cstdint>

#include "core/sdk/pattern_walk.h"

namespace vitrine::analysis {

/// Sums of one pattern [query, key] against the reference patterns of a row of ids.
struct HeadScores {
    double previous = 0, duplicate = 0, induction = 0; ///< Σ(A∘P)/ΣA
    double self = 0, distance = 0, sink = 0;           ///< means over all queries
    double duplicate_rate = 0, induction_rate = 0;     ///< NaN where no query has an earlier copy
};
HeadScores head_scores(sdk::View pattern, const std::vector<std::int32_t>& ids);

/// `samples` rows of BOS (if there is one) and `length` distinct random ids, twice.
std::vector<sdk::Row> repeated_random_rows(const sdk::ModelFacts& model, int samples, int length,
                                           std::uint64_t seed);

/// What heads do, by the shape of their patterns.
class HeadMetrics : public sdk::PatternWalk {
public:
    static sdk::Manifest manifest();

protected:
    std::optional<sdk::Failure> begin(const sdk::Start& start) override;
    void visit(int row, int layer, sdk::View pattern, const Besides& besides) override;
    sdk::Reply finish() override;
    sdk::Reply after(const sdk::Answer& answer) override;

private:
    sdk::Done done() const;

    int max_new_ = 0;
    std::string note_;
    sdk::ResultData previous_, duplicate_, induction_, self_, distance_, sink_;
    sdk::ResultData induction_rate_, duplicate_rate_, prompt_mass_;
    std::vector<bool> repeats_; // rows in which some query has an earlier copy
};

} // namespace vitrine::analysis
