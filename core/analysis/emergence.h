#pragma once
#include <string>
#include <vector>

#include "core/analysis/head_metrics.h"
#include "core/sdk/pattern_walk.h"

namespace vitrine::analysis {

/// A head metric at every checkpoint of a training.
class Emergence : public sdk::PatternWalk {
public:
    static sdk::Manifest manifest();

protected:
    std::optional<sdk::Failure> begin(const sdk::Start& start) override;
    void visit(int row, int layer, sdk::View pattern, const Besides& besides) override;
    sdk::Reply finish() override;

private:
    const NamedScore* score_ = nullptr;
    double epsilon_ = 0;
    std::string note_;
    std::vector<sdk::CheckpointFacts> points_;
    std::vector<std::string> hashes_; // of each point's weights
    std::vector<bool> repeats_;
    sdk::ResultData values_; // layer × head × training step
    sdk::ResultData loss_;   // training step
};

} // namespace vitrine::analysis
