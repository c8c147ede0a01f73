#pragma once
// Which components one task needs and another does not.
#include <cstdint>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include "core/analysis/metric.h"
#include "core/analysis/reference_values.h"
#include "core/analysis/sweep.h"
#include "core/sdk/analysis.h"

namespace vitrine::analysis {

class Selectivity : public sdk::Analysis {
public:
    static sdk::Manifest manifest();
    sdk::Reply start(const sdk::Start& start) override;
    sdk::Reply step(const sdk::Answer& answer) override;

private:
    std::optional<sdk::Failure> choose();
    std::string hook(int layer) const;
    sdk::Reply next();
    void begin_sweep();
    double change(std::size_t component, bool second) const;
    double drawn(std::size_t component, bool second);
    sdk::ResultData shaped(const std::string& name, const std::vector<double>& values) const;
    sdk::Done done();

    const sdk::Start* start_ = nullptr;
    std::string site_, kind_;
    int count_ = 1;                 // components of a layer
    std::vector<sdk::Row> prompts_; // the first set, then the second
    std::size_t first_ = 0;         // prompts of the first set
    Metric metric_;
    ReferenceValues reference_;
    std::mt19937_64 random_;
    std::size_t prompt_ = 0;
    bool sweeping_ = false;
    Sweep sweep_;
    std::vector<double> clean_;                // by prompt
    std::vector<std::vector<double>> changes_; // by prompt, component
};

} // namespace vitrine::analysis
