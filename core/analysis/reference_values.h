#pragma once
// What an ablation puts in the place of a component's output: its mean over a reference set, its mean at each
// position, or what it is in another text.
#include <cstdint>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include "core/sdk/input.h"
#include "core/sdk/output.h"

namespace vitrine::analysis {

/// Of the result `resampled`.
inline constexpr const char* resampled_doc =
    "of kind=resample: prompt, and the text of the reference whose values it took; both count from 0, "
    "corrupted prompts of pairs left out";

/// [METHODS, Causal effects] mean: every token of every row weighs the same; position-mean: over the rows
/// that have the position; resample: the values of one row of the reference, drawn for each prompt among
/// those that are another text and at least as long.
class ReferenceValues {
public:
    ReferenceValues() = default;
    /// `kind` as the parameter of `ablate` has it, not "zero". `prompts`: what the values are for.
    /// Failure: no row of the reference will do for a prompt.
    std::optional<sdk::Failure> choose(const std::string& kind, bool exclude_special,
                                       std::vector<sdk::Row> reference, const std::vector<sdk::Row>& prompts,
                                       std::vector<std::string> hooks, std::int64_t numbers_per_token,
                                       std::uint64_t seed);

    bool complete() const { return next_ >= reference_.size(); }
    double share() const;
    /// Rows of the reference that are captured next; not once it is complete.
    sdk::Run run() const;
    void take(const sdk::Answer& answer);

    /// The values of a hook for a prompt, once complete: of one position ([heads, d_head] or [width]), or
    /// with positions in front.
    std::shared_ptr<const sdk::ArrayData> values(std::size_t hook, std::size_t prompt) const;

    /// A table of which text each prompt took its values from, so that they can be checked; none unless
    /// kind is "resample".
    std::optional<sdk::ResultData> resampled() const;

private:
    struct Sum {
        std::vector<std::int64_t> shape; // of one position
        std::vector<double> total;       // positions × width; one position unless by position
    };
    std::size_t end() const;
    std::optional<sdk::Failure> choose_rows(const std::vector<sdk::Row>& prompts, std::uint64_t seed);
    std::optional<sdk::Failure> check_mean(const std::vector<sdk::Row>& prompts) const;
    void add(const sdk::Row& row, sdk::View values, Sum& sum) const;
    void finish();

    std::string kind_;
    bool exclude_special_ = false;
    std::vector<sdk::Row> reference_;
    std::vector<std::string> hooks_;
    std::int64_t numbers_per_token_ = 1;
    std::size_t next_ = 0;            // row of the reference
    std::vector<Sum> sums_;           // by hook
    std::vector<std::size_t> chosen_; // resample: row of what is kept of the reference, by prompt
    std::vector<std::size_t> taken_;  // the same row in the whole reference
    std::vector<std::vector<std::shared_ptr<const sdk::ArrayData>>> values_; // by hook, by row (or one)
};

} // namespace vitrine::analysis
