#include "core/analysis/reference_values.h"

#include <algorithm>
#include <functional>
#include <numeric>
#include <utility>

#include "core/analysis/budget.h"
#include "core/analysis/control_vectors.h"
#include "core/analysis/effect_results.h"

namespace vitrine::analysis {

namespace {

bool counts(const sdk::Row& row, std::size_t pos, bool exclude_special) {
    return !exclude_special || pos >= row.special.size() || !row.special[pos];
}

int longest_of(const std::vector<sdk::Row>& rows) {
    int longest = 0;
    for (const sdk::Row& row : rows)
        longest = std::max(longest, row.size());
    return longest;
}

} // namespace

std::optional<sdk::Failure> ReferenceValues::choose(const std::string& kind, bool exclude_special,
                                                    std::vector<sdk::Row> reference,
                                                    const std::vector<sdk::Row>& prompts,
                                                    std::vector<std::string> hooks,
                                                    std::int64_t numbers_per_token, std::uint64_t seed) {
    kind_ = kind;
    exclude_special_ = exclude_special;
    reference_ = std::move(reference);
    hooks_ = std::move(hooks);
    numbers_per_token_ = numbers_per_token;
    sums_.resize(hooks_.size());
    values_.resize(hooks_.size());
    return kind == "resample" ? choose_rows(prompts, seed) : check_mean(prompts);
}

std::optional<sdk::Failure> ReferenceValues::choose_rows(const std::vector<sdk::Row>& prompts,
                                                         std::uint64_t seed) {
    std::mt19937_64 random(seed);
    std::vector<sdk::Row> kept;
    for (const sdk::Row& prompt : prompts) {
        std::vector<std::size_t> possible;
        for (std::size_t i = 0; i < reference_.size(); ++i)
            if (reference_[i].size() >= prompt.size() && reference_[i].ids != prompt.ids)
                possible.push_back(i);
        if (possible.empty())
            return sdk::Failure{"usage", "kind=resample needs another text of at least " +
                                             std::to_string(prompt.size()) +
                                             " tokens for each prompt: give reference=@FILE with longer "
                                             "ones, or several prompts of equal length."};
        chosen_.push_back(kept.size());
        taken_.push_back(possible[random() % possible.size()]);
        kept.push_back(reference_[taken_.back()]);
    }
    reference_ = std::move(kept);
    return std::nullopt;
}

std::optional<sdk::Failure> ReferenceValues::check_mean(const std::vector<sdk::Row>& prompts) const {
    bool any = false;
    for (const sdk::Row& row : reference_)
        for (std::size_t pos = 0; pos < row.ids.size(); ++pos)
            any = any || counts(row, pos, exclude_special_);
    if (!any)
        return sdk::Failure{"usage", "The reference holds special tokens only, and exclude=special leaves "
                                     "nothing to average: give other texts, or exclude=none."};
    if (kind_ != "position-mean") return std::nullopt;
    if (exclude_special_)
        return sdk::Failure{"usage",
                            "kind=position-mean takes the tokens of each position as they are: leave "
                            "exclude=special out."};
    const int longest = longest_of(reference_), wanted = longest_of(prompts);
    if (longest >= wanted) return std::nullopt;
    return sdk::Failure{"usage", "kind=position-mean needs reference texts as long as the prompts: the "
                                 "longest has " +
                                     std::to_string(longest) + " tokens, and a prompt has " +
                                     std::to_string(wanted) + "."};
}

std::size_t ReferenceValues::end() const {
    std::size_t end = next_;
    std::int64_t numbers = 0;
    while (end < reference_.size()) {
        numbers += reference_[end].size() * numbers_per_token_;
        if (end > next_ && numbers > bytes_of_one_need / 4) break;
        ++end;
    }
    return end;
}

double ReferenceValues::share() const {
    return reference_.empty() ? 1 : static_cast<double>(next_) / static_cast<double>(reference_.size());
}

sdk::Run ReferenceValues::run() const {
    sdk::Run run;
    run.rows.assign(reference_.begin() + static_cast<std::ptrdiff_t>(next_),
                    reference_.begin() + static_cast<std::ptrdiff_t>(end()));
    run.captures = hooks_;
    run.positions = sdk::Json::array();
    return run;
}

void ReferenceValues::take(const sdk::Answer& answer) {
    const std::size_t last = end();
    for (std::size_t i = next_; i < last; ++i)
        for (std::size_t hook = 0; hook < hooks_.size(); ++hook) {
            const sdk::View view = answer.capture(0, static_cast<int>(i - next_), hooks_[hook]);
            if (kind_ == "resample")
                values_[hook].push_back(shared(copy_of(view)));
            else
                add(reference_[i], view, sums_[hook]);
        }
    next_ = last;
    if (complete() && kind_ != "resample") finish();
}

void ReferenceValues::add(const sdk::Row& row, sdk::View values, Sum& sum) const {
    const auto width = static_cast<std::size_t>(values[0].count());
    const bool by_position = kind_ == "position-mean";
    if (sum.total.empty()) {
        for (int axis = 1; axis < values.rank(); ++axis)
            sum.shape.push_back(values.size(axis));
        sum.total.resize(width * (by_position ? static_cast<std::size_t>(longest_of(reference_)) : 1));
    }
    for (std::size_t pos = 0; pos < row.ids.size(); ++pos) {
        if (!counts(row, pos, exclude_special_)) continue;
        double* const total = &sum.total[by_position ? pos * width : 0];
        const float* const from = values.data() + pos * width;
        for (std::size_t i = 0; i < width; ++i)
            total[i] += static_cast<double>(from[i]);
    }
}

void ReferenceValues::finish() {
    const bool by_position = kind_ == "position-mean";
    std::vector<double> tokens(by_position ? static_cast<std::size_t>(longest_of(reference_)) : 1);
    for (const sdk::Row& row : reference_)
        for (std::size_t pos = 0; pos < row.ids.size(); ++pos)
            if (counts(row, pos, exclude_special_)) ++tokens[by_position ? pos : 0];
    for (std::size_t hook = 0; hook < hooks_.size(); ++hook) {
        const Sum& sum = sums_[hook];
        const std::size_t width = sum.total.size() / tokens.size();
        sdk::ArrayData mean{sum.shape, {}};
        if (by_position) mean.shape.insert(mean.shape.begin(), static_cast<std::int64_t>(tokens.size()));
        for (std::size_t i = 0; i < sum.total.size(); ++i)
            mean.data.push_back(static_cast<float>(sum.total[i] / tokens[i / width]));
        values_[hook] = {shared(std::move(mean))};
    }
}

std::shared_ptr<const sdk::ArrayData> ReferenceValues::values(std::size_t hook, std::size_t prompt) const {
    return values_[hook][chosen_.empty() ? 0 : chosen_[prompt]];
}

std::optional<sdk::ResultData> ReferenceValues::resampled() const {
    if (kind_ != "resample") return std::nullopt;
    sdk::Json lines = sdk::Json::array();
    for (std::size_t prompt = 0; prompt < taken_.size(); ++prompt)
        lines.push_back({{"prompt", prompt}, {"reference", taken_[prompt]}});
    return sdk::ResultData::table("resampled", std::move(lines));
}

} // namespace vitrine::analysis
