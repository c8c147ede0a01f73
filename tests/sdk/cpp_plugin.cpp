// A plugin as a user writes it: one need, one done.
#include "core/sdk/analysis.h"

namespace {

using namespace vitrine;

/// Mean entropy of the next-token distribution over all positions of a row.
class MeanEntropy : public sdk::Analysis {
public:
    static sdk::Manifest manifest() {
        return sdk::Manifest("mean-entropy", "Mean entropy of predictions")
            .summary("Entropy of the next-token distribution, mean over positions, times a factor.")
            .citation("own")
            .number("factor", 1.0, "multiplies the result", 0)
            .result("entropy", "number", "nats");
    }

    sdk::Reply start(const sdk::Start& start) override {
        factor_ = start.number("factor");
        sdk::Run run;
        run.rows = {start.rows.front()};
        run.positions = "all";
        sdk::Need need;
        need.runs = {run};
        return need;
    }

    sdk::Reply step(const sdk::Answer& answer) override {
        const sdk::Json& positions = answer.row(0, 0).at("positions");
        double sum = 0;
        for (const sdk::Json& position : positions)
            sum += position.at("entropy").get<double>();
        return sdk::Done{
            {sdk::ResultData::number("entropy", factor_ * sum / static_cast<double>(positions.size()))}};
    }

private:
    double factor_ = 1;
};

/// Asks for a value that it did not request: what it throws must stay inside.
class Careless : public sdk::Analysis {
public:
    static sdk::Manifest manifest() {
        return sdk::Manifest("careless", "Careless").summary("Fails.").citation("own");
    }
    sdk::Reply start(const sdk::Start& start) override {
        sdk::Run run;
        run.rows = start.rows;
        sdk::Need need;
        need.runs = {run};
        return need;
    }
    sdk::Reply step(const sdk::Answer& answer) override {
        answer.capture(0, 0, "hook_embed");
        return sdk::Done{};
    }
};

} // namespace

VITRINE_PLUGIN(MeanEntropy, Careless)
