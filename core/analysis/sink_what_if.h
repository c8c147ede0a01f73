#pragma once
// What a sink does, measured: each way of taking it away, beside the clean run and a control.
#include <string>
#include <vector>

#include "core/analysis/sink_changes.h"
#include "core/sdk/analysis.h"

namespace vitrine::analysis {

/// Next-token distribution at the end of a row, in nats.
struct Ending {
    std::vector<double> log_p;
    double entropy = 0;
};
Ending ending_of(sdk::View logits);
/// Σ p (ln p − ln q).
double kl_divergence(const Ending& p, const Ending& q);

class SinkWhatIf : public sdk::Analysis {
public:
    static sdk::Manifest manifest();
    sdk::Reply start(const sdk::Start& start) override;
    sdk::Reply step(const sdk::Answer& answer) override;

private:
    // What one row does under a change.
    struct RowEffect {
        double loss = 0, delta_loss = 0, kl = 0, entropy = 0, delta_entropy = 0;
        int sink_key = -1;
        double sink_alpha = 0;
    };

    std::optional<sdk::Failure> choose_layers();
    sdk::Need need() const;
    void take(const sdk::Answer& answer, std::size_t change);
    void find_sink(const sdk::Answer& answer, int row, RowEffect& effect) const;
    sdk::Done done() const;
    sdk::Json describe(std::size_t change) const;

    const sdk::Start* start_ = nullptr;
    std::vector<int> keys_;                       // by row
    std::vector<int> layers_;                     // of the edits
    std::vector<Change> changes_;                 // the first is the clean run
    std::vector<std::vector<RowEffect>> effects_; // change, row
    std::vector<Ending> clean_;                   // by row
    bool patterns_ = false;                       // whether the patterns fit into memory
    sdk::Json top_ = sdk::Json::array(), texts_ = sdk::Json::array();
    std::string note_;
};

} // namespace vitrine::analysis
