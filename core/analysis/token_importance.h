#pragma once
#include <optional>
#include <string>
#include <vector>

#include "core/analysis/changed_prompts.h"

namespace vitrine::analysis {

/// What each token of a prompt does for the next one, by taking tokens out, by replacing some of them, or by
/// where attention leads.
class TokenImportance : public sdk::Analysis {
public:
    static sdk::Manifest manifest();
    sdk::Reply start(const sdk::Start& start) override;
    sdk::Reply step(const sdk::Answer& answer) override;

private:
    enum class Method { leave_one_out, reagent, rollout };
    enum class Stage { clean, changed, patterns };

    /// One changed prompt of a row: without `removed` (−1: nothing is), or with some tokens replaced; or one
    /// that asks whether the most important tokens are enough (`asks`).
    struct Change {
        int row = 0, removed = -1;
        std::vector<bool> replaced;
        bool asks = false;
    };

    std::optional<sdk::Failure> read_parameters();
    bool predicts() const { return fill_ == "predicted" && (method_ == Method::reagent || replace_); }
    sdk::Need clean_need();
    sdk::Reply read_clean(const sdk::Answer& answer);
    void leave_out(int row);
    void draw_fillers(int row, sdk::View logits);
    sdk::Reply next_round();
    void replace_some(int row);
    void replace_unimportant(int row);
    std::int32_t filler(int row, int position);
    void visit(std::size_t index, sdk::View logits);
    sdk::Need patterns_need();
    sdk::Reply read_patterns(const sdk::Answer& answer);
    sdk::Reply finish();
    std::string conditions() const;
    /// The row as far as the position that is read: what comes later cannot matter.
    std::vector<std::int32_t> seen(int row) const;

    const sdk::Start* start_ = nullptr;
    Method method_ = Method::leave_one_out;
    Stage stage_ = Stage::clean;
    bool replace_ = false; ///< leave-one-out: replace, rather than delete
    std::string fill_;
    std::vector<std::int32_t> plain_;
    std::optional<Draws> draws_;
    std::vector<Reading> readings_;
    std::vector<double> clean_; ///< probability of the tokens, by row
    std::vector<Change> changes_;
    std::optional<ReadInParts> parts_;
    std::vector<std::vector<double>> scores_;  ///< by row and position
    std::vector<std::vector<double>> changed_; ///< leave-one-out: probability without the token
    std::vector<std::vector<std::vector<std::int32_t>>> drawn_; ///< fillers to use, by row and position
    std::vector<int> steps_;                                    ///< ReAGent: done, by row
    std::vector<bool> enough_;                                  ///< ReAGent: stopped, by row
    int next_row_ = 0, rows_in_need_ = 0;
    int layer_ = 0, layers_in_need_ = 0; ///< of the patterns: layers below `layer_` are still to come
};

} // namespace vitrine::analysis
