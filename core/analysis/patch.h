#pragma once
// Activation patching: values of one run put into another, one place at a time.
#include <cstdint>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include "core/analysis/metric.h"
#include "core/analysis/pairs.h"
#include "core/analysis/sweep.h"
#include "core/sdk/analysis.h"

namespace vitrine::analysis {

class Patch : public sdk::Analysis {
public:
    static sdk::Manifest manifest();
    sdk::Reply start(const sdk::Start& start) override;
    sdk::Reply step(const sdk::Answer& answer) override;

private:
    // A place that is patched.
    struct Cell {
        std::size_t place = 0; // of the layer among layers_
        std::string where;     // "pos=3 head=2 "
    };
    std::optional<sdk::Failure> choose();
    std::optional<sdk::Failure> choose_axes();
    std::string hook(std::size_t layer) const;
    std::int64_t group() const;
    std::vector<Cell> cells() const;
    sdk::Reply next();
    void begin_sweep(const sdk::Answer& captured);
    void finish_pair();
    std::vector<sdk::Axis> axes() const;
    sdk::ResultData shaped(const std::string& name, const std::vector<double>& values,
                           bool by_row = false) const;
    sdk::Done done() const;
    sdk::Json summary() const;
    std::string note() const;

    const sdk::Start* start_ = nullptr;
    std::string site_, axes_;
    bool denoise_ = true;
    int heads_ = 0; // of the site; 0: none
    std::vector<int> layers_;
    int draws_ = 0, unrelated_ = 0;
    Pairs pairs_;
    Metric metric_;
    std::mt19937_64 random_;
    int pair_ = 0;
    bool sweeping_ = false;
    std::vector<Cell> cells_; // of this pair
    Sweep sweep_;
    std::vector<double> clean_, corrupted_; // by pair
    // By pair (and draw), one number a cell.
    std::vector<std::vector<double>> effects_, unrelated_effects_;
    std::vector<std::vector<std::vector<double>>> controls_; // by draw, pair
};

} // namespace vitrine::analysis
