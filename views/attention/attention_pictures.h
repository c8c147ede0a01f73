#pragma once
// The pictures of the Attention page, made from what lies on the desk.
#include <memory>

#include "core/engine/results.h"
#include "views/figure/attention_grid.h"
#include "views/figure/heatmap.h"
#include "views/shared/desk.h"

namespace vitrine::views {

struct AttentionOptions {
    bool log = false;       ///< colours by the logarithm
    bool sinks_out = false; ///< sink columns are left out, rows renormalised, heads fade by their sink mass
    bool average = false;   ///< the large picture is the mean over the layer's heads
};

/// What is known of every head of a run, computed once a run.
struct HeadFacts {
    std::vector<std::vector<bool>> sinks; ///< [layers · heads] columns
    std::vector<double> sink_mass;        ///< [layers · heads] mean over queries
    std::vector<double> entropy;          ///< [layers · heads] mean over queries, nats
};
HeadFacts facts_of(const ShownRun& run);

/// What the page draws: the run shown, or A − B.
struct AttentionData {
    RunPtr run;
    bool difference = false;
    QString said_in_place;                ///< why there is nothing to draw
    std::vector<figure::Matrix> patterns; ///< [layers · heads]
    HeadFacts facts;
    double largest = 1; ///< end of the colour scale

    const figure::Matrix& pattern(int layer, int head) const {
        return patterns[static_cast<std::size_t>(layer) * static_cast<std::size_t>(run->heads) +
                        static_cast<std::size_t>(head)];
    }
};
AttentionData attention_data(const Desk& desk);

std::shared_ptr<figure::AttentionGrid>
grid_picture(const AttentionData& data, const AttentionOptions& options, const figure::Theme& theme);
std::shared_ptr<figure::Heatmap> head_picture(const AttentionData& data, const AttentionOptions& options,
                                              const Place& place, const figure::Theme& theme);

/// The numbers of the grid (layer × head × query × key) and of one head (query × key).
std::vector<engine::ResultValue> grid_results(const AttentionData& data);
std::vector<engine::ResultValue> head_results(const AttentionData& data, const Place& place);

/// Shown texts of a run's tokens.
QStringList token_labels(const ShownRun& run);

/// The command line that captures the same numbers, interventions included: `vitrine-cli run MODEL --ids …`.
QString capture_command(const ShownRun& run, const QString& capture);

} // namespace vitrine::views
