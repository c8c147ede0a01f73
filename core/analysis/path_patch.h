#pragma once
// Path patching: what one component tells another, directly.
#include <cstdint>
#include <map>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include "core/analysis/components.h"
#include "core/analysis/metric.h"
#include "core/analysis/pairs.h"
#include "core/analysis/sweep.h"
#include "core/sdk/analysis.h"

namespace vitrine::analysis {

class PathPatch : public sdk::Analysis {
public:
    static sdk::Manifest manifest();
    sdk::Reply start(const sdk::Start& start) override;
    sdk::Reply step(const sdk::Answer& answer) override;

private:
    enum class Phase { captures, paths, effects };
    // Where paths end: a head's queries, keys or values, or what an MLP reads.
    struct Receiver {
        int layer = 0, head = -1;
        std::string hook; // "blocks.5.attn.hook_q", "blocks.5.hook_mlp_in"
    };
    std::optional<sdk::Failure> choose();
    std::optional<sdk::Failure> add_receiver(const std::string& name);
    std::string block(int layer) const;
    sdk::Reply next();
    sdk::Need need(sdk::Run run, double share) const;
    void begin_paths(const sdk::Answer& captured);
    void add_control(const sdk::Answer& captured, const std::string& hook, std::int64_t group);
    void begin_effects();
    void finish_pair();
    std::vector<RowEdit> frozen() const;
    sdk::Done done() const;
    std::string note() const;

    const sdk::Start* start_ = nullptr;
    bool to_logits_ = false, freeze_mlps_ = true, noise_ = true;
    int draws_ = 0, last_layer_ = 0; // senders lie at or below it
    std::vector<Receiver> receivers_;
    std::vector<Node> senders_;
    Pairs pairs_;
    Metric metric_;
    std::mt19937_64 random_;
    Phase phase_ = Phase::captures;
    int pair_ = 0;
    sdk::NamedArrays arrays_;
    Sweep sweep_;
    // What the receivers read on each path, by item of the sweep over paths.
    std::vector<std::vector<std::shared_ptr<const sdk::ArrayData>>> received_;
    std::vector<double> base_, other_;         // metric of the run that is changed, and of the other one
    std::vector<std::vector<double>> effects_; // by pair: senders, then senders of each draw
};

} // namespace vitrine::analysis
