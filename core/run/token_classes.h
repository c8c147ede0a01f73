#pragma once
// Which tokens of a batch hold the same numbers in a value: each token's class is the first token that has
// them.
#include <cstdint>
#include <map>
#include <memory>
#include <vector>

#include "core/run/plan.h"

namespace vitrine::run {

/// By token of the whole batch: the first token with the same numbers, which stands at the same position.
using Classes = std::shared_ptr<const std::vector<int>>;

/// Tokens that have keys in common, keys being compared by number.
class TokenClasses {
public:
    explicit TokenClasses(const Plan& plan);

    int tokens() const { return static_cast<int>(row_.size()); }
    int row(int token) const { return row_[static_cast<std::size_t>(token)]; }
    int position(int token) const { return position_[static_cast<std::size_t>(token)]; }

    /// Every token for itself.
    const Classes& apart() const { return apart_; }
    /// By position alone; by position and token.
    const Classes& by_position() const { return by_position_; }
    const Classes& by_token() const { return by_token_; }
    /// Tokens that are alike in both.
    Classes both(const Classes& a, const Classes& b) const;
    /// Alike in `classes` and in a number of their own.
    Classes with(const Classes& classes, const std::vector<int>& numbers) const;
    /// What a causal op over `keys` reads at each token: tokens whose rows are alike up to there.
    Classes prefixes(const Classes& keys) const;
    /// Tokens at the same position of rows that are alike to their ends, by the last token of each row, and
    /// in a number of each row.
    Classes whole_rows(const Classes& prefixes, const std::vector<int>& row_numbers) const;

    /// What is done to each token of a value by the entries, as numbers that are equal where that is the
    /// same; 0: nothing.
    std::vector<int> edits_of_tokens(const std::vector<EditEntry>& entries) const;
    /// The same of each row as a whole.
    std::vector<int> edits_of_rows(const std::vector<EditEntry>& entries) const;

private:
    std::vector<std::int64_t> signature(const EditEntry& entry, int position) const;

    const Plan& plan_;
    std::vector<int> row_, position_;
    Classes apart_, by_position_, by_token_;
};

} // namespace vitrine::run
