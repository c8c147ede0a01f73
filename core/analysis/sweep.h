#pragma once
// One run of many rows that differ by edits: how analyses of causes ask for thousands of changed passes at
// once.
#include <functional>
#include <string>
#include <vector>

#include "core/analysis/metric.h"
#include "core/sdk/input.h"
#include "core/sdk/output.h"

namespace vitrine::analysis {

/// "blocks.3.attn.hook_z" and "head=2 zero": an edit without its row.
struct RowEdit {
    std::string hook, what;
};

/// A row that nothing changes, and that items change.
struct SweepBase {
    sdk::Row row;
    int reference = 0; ///< the base that the metric `kl` compares with
};

/// One changed row.
struct SweepItem {
    int base = 0;
    int layer = 0; ///< of the first change: rows are sent in its order, so that they share what comes before
    std::vector<RowEdit> edits;
};

/// The rows of one prompt: bases first (all of the prompt's length), then items by layer; in as many runs as
/// keep what one sends back below 256 MiB (4096 at most), each with all bases.
class Sweep {
public:
    Sweep() = default;
    Sweep(const sdk::ModelFacts& model, const Metric& metric, int prompt, std::vector<SweepBase> bases,
          std::vector<SweepItem> items, sdk::NamedArrays arrays = {});

    /// Edits of every item, before its own.
    void before_all(std::vector<RowEdit> edits) { common_ = std::move(edits); }
    /// Captures of every row, of `numbers` elements, told to `seen` (item, run's row) as answers come.
    void capture(std::vector<std::string> hooks, std::int64_t numbers,
                 std::function<void(std::size_t, const sdk::Answer&, int)> seen);

    bool done() const { return begin_ >= order_.size() && !base_values_.empty(); }
    double share() const;
    sdk::Run run() const;
    /// The answer to run(), the need's only one.
    void take(const sdk::Answer& answer);

    /// The metric of the bases, and of the items in the order that they were given in.
    const std::vector<double>& bases() const { return base_values_; }
    const std::vector<double>& values() const { return values_; }

private:
    std::size_t end() const;

    const Metric* metric_ = nullptr;
    int prompt_ = 0;
    std::size_t rows_per_run_ = 1;
    std::int64_t numbers_per_row_ = 0;
    std::vector<SweepBase> bases_;
    std::vector<SweepItem> items_;
    sdk::NamedArrays arrays_;
    std::vector<RowEdit> common_;
    std::vector<std::string> captures_;
    std::function<void(std::size_t, const sdk::Answer&, int)> seen_;
    std::vector<std::size_t> order_; // items by layer
    std::size_t begin_ = 0;          // of the next run in order_
    std::vector<double> base_values_, values_;
};

} // namespace vitrine::analysis
