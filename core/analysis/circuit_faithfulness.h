#pragma once
// How much of a behaviour a set of components carries.
#include <cstdint>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include "core/analysis/components.h"
#include "core/analysis/metric.h"
#include "core/analysis/reference_values.h"
#include "core/analysis/sweep.h"
#include "core/sdk/analysis.h"

namespace vitrine::analysis {

class CircuitFaithfulness : public sdk::Analysis {
public:
    static sdk::Manifest manifest();
    sdk::Reply start(const sdk::Start& start) override;
    sdk::Reply step(const sdk::Answer& answer) override;

private:
    // A circuit: which of nodes_ are left as they are.
    using Kept = std::vector<bool>;

    std::optional<sdk::Failure> choose();
    std::optional<sdk::Failure> read_circuit();
    void choose_circuits();
    Kept random_circuit(std::size_t size);
    std::vector<RowEdit> ablation(const Kept& kept) const;
    std::string hook(const Node& node) const;
    sdk::Reply next();
    void begin_sweep();
    double share_of(double value) const;
    double mean_at(std::size_t circuit) const;
    sdk::ResultData curve(const std::string& name, const std::vector<double>& values) const;
    sdk::ResultData minimality() const;
    sdk::Done done() const;
    std::string note() const;

    const sdk::Start* start_ = nullptr;
    std::string kind_;
    bool with_mlps_ = false;
    int draws_ = 0;
    std::vector<Node> nodes_;          // everything that may be ablated
    std::vector<std::size_t> members_; // of the circuit, in the order given: indices into nodes_
    std::vector<sdk::Row> prompts_;
    std::vector<std::string> hooks_; // that reference values are of
    Metric metric_;
    ReferenceValues reference_;
    std::mt19937_64 random_;
    // All circuits that are measured: none; the first k members for k = 1 …; what is left of the model
    // without the first k; the circuit without each member; random circuits of each size.
    std::vector<Kept> circuits_;
    std::size_t first_complement_ = 0, first_without_ = 0, first_random_ = 0;
    std::size_t prompt_ = 0;
    bool sweeping_ = false;
    Sweep sweep_;
    std::vector<double> full_;                // by prompt
    std::vector<std::vector<double>> values_; // by prompt, circuit
};

} // namespace vitrine::analysis
