#pragma once
#include <optional>
#include <string>
#include <vector>

#include "core/analysis/changed_prompts.h"

namespace vitrine::analysis {

/// What each demonstration of a few-shot prompt does for the answer: one at a time is dropped, shuffled or
/// replaced.
class SpanImportance : public sdk::Analysis {
public:
    static sdk::Manifest manifest();
    sdk::Reply start(const sdk::Start& start) override;
    sdk::Reply step(const sdk::Answer& answer) override;

private:
    struct Span {
        int row = 0, first = 0, end = 0; ///< tokens [first, end)
        double prob = 0, logit = 0;      ///< sums over the draws
    };

    std::optional<sdk::Failure> find_spans();
    std::optional<sdk::Failure> named_spans(const std::string& text, int row);
    void separated_spans(const std::string& separator, int row);
    std::vector<std::int32_t> changed(const Span& span);
    sdk::Reply finish();

    const sdk::Start* start_ = nullptr;
    std::string change_;
    int repeats_ = 1;
    std::vector<Reading> readings_;
    std::vector<Span> spans_;
    std::vector<std::int32_t> plain_;
    std::optional<Draws> draws_;
    std::optional<ReadInParts> parts_;
    bool clean_ = true;
    std::vector<double> prob_, logit_; ///< of the prompts as they are
};

} // namespace vitrine::analysis
