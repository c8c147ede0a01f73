#pragma once
// Importance of heads, attention layers, MLPs or neurons: each taken away alone.
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/analysis/metric.h"
#include "core/analysis/reference_values.h"
#include "core/analysis/sweep.h"
#include "core/sdk/analysis.h"

namespace vitrine::analysis {

class Ablate : public sdk::Analysis {
public:
    static sdk::Manifest manifest();
    sdk::Reply start(const sdk::Start& start) override;
    sdk::Reply step(const sdk::Answer& answer) override;

private:
    // What is asked for now.
    enum class Phase { reference, captures, sweep };
    // A component of the model, at this place of the effects.
    struct Component {
        int layer = 0, index = 0;
        std::size_t place = 0;
    };
    std::optional<sdk::Failure> choose();
    std::string hook(std::size_t layer) const;
    bool wants_patterns() const;
    sdk::Reply next();
    sdk::Need need(sdk::Run run, double share) const;
    sdk::Run captures() const;
    void begin_sweep(const sdk::Answer* captured);
    void add_controls(const sdk::Answer& captured, sdk::NamedArrays& arrays, std::vector<SweepItem>& items);
    void read_attention(const sdk::Answer& captured);
    void finish_prompt();
    std::string select(const Component& component) const;
    std::string what(const Component& component) const;
    sdk::Done done() const;
    sdk::ResultData shaped(const std::string& name, const std::vector<double>& values) const;
    sdk::Json summary() const;
    sdk::Json top() const;
    sdk::Json correlations() const;
    std::string note() const;

    const sdk::Start* start_ = nullptr;
    std::string site_, kind_;
    int count_ = 1; // components in a layer
    std::int64_t width_ = 0;
    int draws_ = 0, unrelated_ = 0;
    std::vector<int> layers_;
    std::vector<sdk::Row> prompts_;
    std::vector<Component> components_;
    std::vector<std::size_t> with_control_; // components that get one
    Metric metric_;
    ReferenceValues reference_;
    std::mt19937_64 random_;
    Phase phase_ = Phase::reference;
    std::size_t prompt_ = 0;
    Sweep sweep_;
    // By prompt.
    std::vector<double> clean_;
    // By component, one number a prompt (a prompt and draw).
    std::vector<std::vector<double>> effects_, unrelated_effects_;
    // By component and draw, one number a prompt.
    std::vector<std::vector<std::vector<double>>> controls_;
    // By head, one number a prompt.
    std::vector<std::vector<double>> to_first_, to_answer_;
};

} // namespace vitrine::analysis
