#pragma once
// Prompts with something taken out, replaced or moved, and what a model then makes of the next token.
#include <cstdint>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include "core/sdk/analysis.h"

namespace vitrine::analysis {

/// A seeded stream of draws that is the same on every machine.
class Draws {
public:
    explicit Draws(std::uint64_t seed) : random_(seed) {}
    /// One of 0 … count − 1.
    int below(int count) { return static_cast<int>(random_() % static_cast<std::uint64_t>(count)); }
    /// In [0, 1).
    double share() { return static_cast<double>(random_() >> 11) * 0x1p-53; }

private:
    std::mt19937_64 random_;
};

/// Where a prompt is read and for which tokens: probabilities of several add.
struct Reading {
    int position = 0;
    std::vector<int> tokens; ///< empty until the prompt itself has been run: then its most likely one
};

/// Failure: out-of-range, naming the first id that the vocabulary does not have.
std::optional<sdk::Failure> check_tokens(const sdk::ModelFacts& model, const std::vector<std::int32_t>& ids);

/// From the parameters `token` and `position`, for every row. Failure: out-of-range, one sentence.
std::optional<sdk::Failure> read_readings(const sdk::Start& start, std::vector<Reading>& readings);
/// Declares these two parameters.
sdk::Manifest& declare_reading(sdk::Manifest& manifest);

/// Probability of tokens, and the mean of their logits, from the logits at one position.
double probability_of(sdk::View logits, const std::vector<int>& tokens);
double logit_of(sdk::View logits, const std::vector<int>& tokens);

/// Ids that are not special, to draw fillers from.
std::vector<std::int32_t> plain_ids(const sdk::ModelFacts& model);

/// Walks over a list of rows that is run in parts, so that the logits of one need stay small. Each row is
/// read at its last token.
class ReadInParts {
public:
    explicit ReadInParts(int vocab) : vocab_(vocab) {}
    void add(std::vector<std::int32_t> ids) { rows_.push_back({std::move(ids), {}, {}}); }
    bool done() const { return next_ == rows_.size(); }
    std::size_t size() const { return rows_.size(); }
    sdk::Need need();
    /// Calls `visit(index, logits)` for the rows of that need; false once there are no more.
    template <typename Visit>
    bool take(const sdk::Answer& answer, Visit&& visit) {
        for (std::size_t r = 0; r < in_need_; ++r)
            visit(next_ + r, answer.logits(0, static_cast<int>(r))[0]);
        next_ += in_need_;
        in_need_ = 0;
        return !done();
    }

private:
    int vocab_ = 0;
    std::vector<sdk::Row> rows_;
    std::size_t next_ = 0, in_need_ = 0;
};

} // namespace vitrine::analysis
