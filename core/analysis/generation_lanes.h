#pragma once
#include "core/sdk/analysis.h"

namespace vitrine::analysis {

/// How sure the model is, and how much it looks at the first key, while it writes.
class GenerationLanes : public sdk::Analysis {
public:
    static sdk::Manifest manifest();
    sdk::Reply start(const sdk::Start& start) override;
    sdk::Reply step(const sdk::Answer& answer) override;

private:
    const sdk::Start* start_ = nullptr;
};

} // namespace vitrine::analysis
