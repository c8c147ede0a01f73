#pragma once
// Perplexity by position with the caches of StreamingLLM.
#include <string>
#include <vector>

#include "core/sdk/analysis.h"

namespace vitrine::analysis {

class Streaming : public sdk::Analysis {
public:
    static sdk::Manifest manifest();
    sdk::Reply start(const sdk::Start& start) override;
    sdk::Reply step(const sdk::Answer& answer) override;

private:
    // −log p by row and token, NaN where nothing was measured.
    struct Policy {
        std::string name, attention;
        std::vector<std::vector<double>> nll;
    };

    sdk::Need need() const;
    void take(const sdk::Answer& answer, Policy& policy) const;
    std::vector<int> recomputed_tokens(int length) const;
    sdk::Done done() const;
    sdk::Json cache_of(const Policy& policy) const;

    const sdk::Start* start_ = nullptr;
    int window_ = 0, sinks_ = 0, bin_ = 0, every_ = 0, longest_ = 0;
    std::vector<Policy> policies_;
    std::size_t next_ = 0;
};

} // namespace vitrine::analysis
