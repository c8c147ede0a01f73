#pragma once
// Causal tracing: which states, restored, bring an answer back that a corruption took away.
#include <cstdint>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include "core/analysis/metric.h"
#include "core/analysis/sweep.h"
#include "core/sdk/analysis.h"

namespace vitrine::analysis {

class CausalTrace : public sdk::Analysis {
public:
    static sdk::Manifest manifest();
    sdk::Reply start(const sdk::Start& start) override;
    sdk::Reply step(const sdk::Answer& answer) override;

private:
    enum class Phase { deviation, captures, sweep };
    std::optional<sdk::Failure> choose();
    std::optional<sdk::Failure> choose_spans();
    std::string hook(int layer) const;
    sdk::Reply next();
    void measure_embeddings(const sdk::Answer& answer);
    void begin_sweep(const sdk::Answer& captured);
    std::vector<SweepItem> items(int base, const std::vector<RowEdit>& corruption) const;
    void finish_row();
    sdk::Done done() const;
    sdk::Json span_of(const std::vector<int>& span, const sdk::Row& row) const;
    std::string note() const;

    const sdk::Start* start_ = nullptr;
    bool noise_ = false;
    std::string site_;
    double sigma_ = 0;
    int draws_ = 1, window_ = 1;
    std::vector<sdk::Row> clean_rows_, corrupted_rows_; // the latter for token replacement
    std::vector<std::vector<int>> spans_;               // corrupted positions, by row
    Metric metric_;
    std::mt19937_64 random_;
    Phase phase_ = Phase::captures;
    std::size_t row_ = 0;
    Sweep sweep_;
    std::vector<double> clean_, corrupted_;    // by row
    std::vector<std::vector<double>> effects_; // by row: layer × position
};

} // namespace vitrine::analysis
