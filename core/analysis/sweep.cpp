#include "core/analysis/sweep.h"

#include <algorithm>
#include <limits>
#include <numeric>
#include <utility>

#include "core/analysis/budget.h"
#include "core/analysis/effect_results.h"

namespace vitrine::analysis {

namespace {

constexpr std::int64_t most_rows = 4096; // of one run, so that a long sweep tells how far it is

std::string edit_of(const RowEdit& edit, const std::string& rows) {
    return edit.hook + " row=" + rows + " " + edit.what;
}

} // namespace

Sweep::Sweep(const sdk::ModelFacts& model, const Metric& metric, int prompt, std::vector<SweepBase> bases,
             std::vector<SweepItem> items, sdk::NamedArrays arrays)
    : metric_(&metric), prompt_(prompt), numbers_per_row_(metric.numbers_per_row(model)),
      bases_(std::move(bases)), items_(std::move(items)), arrays_(std::move(arrays)), order_(items_.size()),
      values_(items_.size(), std::numeric_limits<double>::quiet_NaN()) {
    std::iota(order_.begin(), order_.end(), std::size_t{0});
    std::stable_sort(order_.begin(), order_.end(),
                     [&](std::size_t a, std::size_t b) { return items_[a].layer < items_[b].layer; });
    capture({}, 0, {});
}

void Sweep::capture(std::vector<std::string> hooks, std::int64_t numbers,
                    std::function<void(std::size_t, const sdk::Answer&, int)> seen) {
    captures_ = std::move(hooks);
    seen_ = std::move(seen);
    const std::int64_t rows = bytes_of_one_need / 4 / (numbers_per_row_ + numbers);
    const auto fixed = static_cast<std::int64_t>(bases_.size());
    rows_per_run_ = static_cast<std::size_t>(std::clamp<std::int64_t>(rows - fixed, 1, most_rows));
}

std::size_t Sweep::end() const { return std::min(begin_ + rows_per_run_, order_.size()); }

double Sweep::share() const {
    return order_.empty() ? 1 : static_cast<double>(begin_) / static_cast<double>(order_.size());
}

sdk::Run Sweep::run() const {
    sdk::Run run;
    for (const SweepBase& base : bases_)
        run.rows.push_back(base.row);
    const std::size_t first = run.rows.size();
    const std::size_t last = first + (end() - begin_);
    if (last > first)
        for (const RowEdit& edit : common_)
            run.edits.push_back(edit_of(edit, std::to_string(first) + ":" + std::to_string(last)));
    for (std::size_t at = begin_; at < end(); ++at) {
        const SweepItem& item = items_[order_[at]];
        const std::string row = std::to_string(run.rows.size());
        run.rows.push_back(bases_[static_cast<std::size_t>(item.base)].row);
        for (const RowEdit& edit : item.edits)
            run.edits.push_back(edit_of(edit, row));
    }
    if (last > first) run.arrays = arrays_;
    run.captures = captures_;
    metric_->ask(run, prompt_);
    return run;
}

void Sweep::take(const sdk::Answer& answer) {
    std::vector<std::vector<double>> references;
    base_values_.clear();
    for (std::size_t base = 0; base < bases_.size(); ++base)
        references.push_back(metric_->reference(answer, 0, static_cast<int>(base)));
    const auto reference = [&](std::size_t base) -> const std::vector<double>& {
        return references[static_cast<std::size_t>(bases_[base].reference)];
    };
    for (std::size_t base = 0; base < bases_.size(); ++base)
        base_values_.push_back(metric_->value(answer, 0, static_cast<int>(base), prompt_, reference(base)));
    for (std::size_t at = begin_; at < end(); ++at) {
        const std::size_t item = order_[at];
        const auto row = static_cast<int>(bases_.size() + (at - begin_));
        values_[item] =
            metric_->value(answer, 0, row, prompt_, reference(static_cast<std::size_t>(items_[item].base)));
        if (seen_) seen_(item, answer, row);
    }
    begin_ = end();
}

} // namespace vitrine::analysis
