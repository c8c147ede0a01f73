#pragma once
#include <cstdint>

#include "core/sdk/pattern_walk.h"

namespace vitrine::analysis {

/// Sums of one pattern [query, key] against the reference patterns of a row of ids.
struct HeadScores {
    double previous = 0, duplicate = 0, induction = 0; ///< Σ(A∘P)/ΣA
    double self = 0, distance = 0, sink = 0;           ///< means over all queries
    double entropy = 0;                                ///< nats, mean over all queries
    double duplicate_rate = 0, induction_rate = 0;     ///< NaN where no query has an earlier copy
};
HeadScores head_scores(sdk::View pattern, const std::vector<std::int32_t>& ids);

/// A score by the name that results have, for whoever lets the user choose one.
struct NamedScore {
    const char* name;
    double HeadScores::*value;
    const char* doc;
    bool needs_copies = false; ///< only rows in which a token repeats have it
};
const std::vector<NamedScore>& named_scores();

/// `samples` rows of BOS (if there is one) and `length` distinct random ids, twice.
std::vector<sdk::Row> repeated_random_rows(const sdk::ModelFacts& model, int samples, int length,
                                           std::uint64_t seed);

/// Rows of "seed", "samples" and "length" (see random_row_parameters) and what they are; or why there are
/// none.
struct RandomRows {
    std::vector<sdk::Row> rows;
    std::string note;
    std::optional<sdk::Failure> failure;
};
RandomRows random_rows(const sdk::Start& start);
/// Adds these three parameters.
sdk::Manifest& random_row_parameters(sdk::Manifest& manifest);

/// By row: whether some query has an earlier copy.
std::vector<bool> repeating(const std::vector<sdk::Row>& rows);

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
    sdk::ResultData heads() const;
    sdk::ResultData scatter() const;
    double value_of(const std::string& metric, int layer, int head) const;

    int max_new_ = 0;
    std::string x_, y_; // metrics of the scatter
    std::string note_;
    std::vector<sdk::ResultData> scores_; // as named_scores()
    sdk::ResultData prompt_mass_;
    sdk::ResultData prompt_by_step_, sink_by_step_; // layer × head × step
    std::vector<bool> repeats_;                     // rows in which some query has an earlier copy
};

} // namespace vitrine::analysis
