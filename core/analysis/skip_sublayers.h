#pragma once
// Which attention and MLP sublayers a model can do without: greedy removal.
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/analysis/metric.h"
#include "core/sdk/analysis.h"

namespace vitrine::analysis {

class SkipSublayers : public sdk::Analysis {
public:
    static sdk::Manifest manifest();
    sdk::Reply start(const sdk::Start& start) override;
    sdk::Reply step(const sdk::Answer& answer) override;

private:
    enum class Kind { attention, mlp };
    struct Sublayer {
        int layer = 0;
        Kind kind = Kind::attention;
    };
    // What one set of skipped sublayers does, sums over prompts.
    struct Outcome {
        double distance = 0, loss = 0, correct = 0;
    };
    std::optional<sdk::Failure> choose();
    std::string skip(const Sublayer& sublayer, const std::string& rows) const;
    std::size_t rows_per_run() const;
    std::size_t end() const;
    sdk::Reply next();
    Outcome measure(const sdk::Answer& answer, int row) const;
    double distance(sdk::View clean, sdk::View changed) const;
    void remove();
    sdk::ResultData map(const std::string& name, const std::vector<double>& values) const;
    sdk::ResultData curve(const std::string& name, double Outcome::*field) const;
    sdk::Done done() const;

    const sdk::Start* start_ = nullptr;
    bool angular_ = false, answers_known_ = false;
    int count_ = 0; // removals
    std::vector<sdk::Row> prompts_;
    std::vector<std::vector<std::int32_t>> answers_; // by prompt
    std::vector<int> positions_;                     // where accuracy is read, by prompt
    std::vector<Sublayer> left_, removed_;
    std::size_t prompt_ = 0, begin_ = 0; // next prompt and candidate of this round
    std::vector<Outcome> candidates_;    // of left_
    std::vector<Outcome> curve_;         // after 0, 1, 2 … removals, means over prompts
    std::vector<double> first_;          // distance of each alone, layer × kind
    Outcome clean_;
};

} // namespace vitrine::analysis
