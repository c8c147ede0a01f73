#pragma once
// Base of analyses that read the residual stream of every layer as if it were the last.
#include <optional>
#include <string>
#include <vector>

#include "core/analysis/unembed.h"
#include "core/sdk/analysis.h"

namespace vitrine::analysis {

class LensWalk : public sdk::Analysis {
public:
    sdk::Reply start(const sdk::Start& start) final;
    sdk::Reply step(const sdk::Answer& answer) final;

    /// Adds the parameters that all lenses have.
    static sdk::Manifest& add_parameters(sdk::Manifest& manifest, const sdk::Json& position);

protected:
    /// What the lens shows at one place. `final` is the model's own distribution there.
    struct Place {
        int row, layer;
        int index; ///< among the row's positions
        int position;
        const float* logits; ///< [vocab]
        Distribution distribution;
        const float* final_logits; ///< [vocab]
        Distribution final_distribution;
    };

    virtual std::optional<sdk::Failure> begin(const sdk::Start& start) = 0;
    /// Every place: rows, positions and layers in order.
    virtual void visit(const Place& place) = 0;
    virtual sdk::Reply finish() = 0;

    const sdk::Start& input() const { return *start_; }
    /// Positions read in a row, in the order asked for.
    const std::vector<int>& positions(int row) const { return positions_[static_cast<std::size_t>(row)]; }
    /// A result by layer, or by layer × position where more than one is read, with a leading axis for rows if
    /// there are several, then one for `leading`.
    sdk::ResultData by_layer(const std::string& name, std::vector<sdk::Axis> leading = {}) const;
    /// Where the value of a place lies in such a result.
    std::size_t offset(const Place& place, int leading = 0, int leading_size = 1) const;

private:
    sdk::Need need() const;
    std::optional<sdk::Failure> check_lens() const;
    int translator(int layer) const;
    void translate(const sdk::Answer& answer, int layer, int count, std::vector<float>& x) const;
    bool read_row(const sdk::Answer& answer, int row, int row_in_run);

    const sdk::Start* start_ = nullptr;
    std::string hook_;
    bool tuned_ = false;
    std::vector<std::vector<int>> positions_; // by row
    std::int64_t most_positions_ = 0;
    std::optional<Unembedding> unembedding_;
    int next_row_ = 0;
    int rows_in_need_ = 0;
};

} // namespace vitrine::analysis
