#pragma once
// The parts of a plan's batch: lists of tokens, each kept once.
#include <map>
#include <vector>

#include "core/run/plan.h"

namespace vitrine::run {

class TokenParts {
public:
    explicit TokenParts(const Batch& whole) : whole_(whole) {}

    /// The part of these tokens of the whole batch, in ascending order within a row; `absent` for all of
    /// them.
    int of(std::vector<int> tokens);
    /// The part whose rows are those of `part` from their first token on: what its queries may see.
    int seen_by(int part);

    const Batch& batch(int part) const { return part == absent ? whole_ : at(part).batch; }
    int size(int part) const { return batch(part).size(); }
    /// The token of the whole batch that stands at a place of a part.
    int token(int part, int place) const {
        return part == absent ? place : at(part).tokens[static_cast<std::size_t>(place)];
    }
    /// The reverse; the token must be in the part.
    int place(int part, int token) const {
        return part == absent ? token : at(part).places[static_cast<std::size_t>(token)];
    }
    /// Rows of a part by the row of the whole batch that they are a stretch of.
    const std::vector<int>& rows_of(int part, int whole_row) const;
    int whole_row(int part, int row) const {
        return part == absent ? row : at(part).row_of[static_cast<std::size_t>(row)];
    }

    /// For Plan::parts.
    std::vector<Batch> batches() const;

private:
    struct Part {
        std::vector<int> tokens;
        std::vector<int> places; ///< by token of the whole batch
        Batch batch;
        std::vector<int> row_of;            ///< by row of the part
        std::vector<std::vector<int>> rows; ///< by row of the whole batch
        int seen = absent;                  ///< part of seen_by, once asked for
        bool seen_known = false;
    };

    const Part& at(int part) const { return parts_[static_cast<std::size_t>(part)]; }
    Part make(std::vector<int> tokens) const;

    const Batch& whole_;
    std::vector<Part> parts_;
    std::map<std::vector<int>, int> known_;
};

} // namespace vitrine::run
