#pragma once
// The pictures of the Attention page, made from what lies on the desk.
#include <algorithm>
#include <memory>

#include "core/engine/results.h"
#include "views/figure/attention_grid.h"
#include "views/figure/heatmap.h"
#include "views/shared/desk.h"

namespace vitrine::views {

/// What the cells are.
enum class Measure { weight, score, value_weighted, rollout };
/// What the large picture shows.
enum class Large { head, layer_mean, set_mean };

struct AttentionOptions {
    Measure measure = Measure::weight;
    Large large = Large::head;
    bool log = false;       ///< colours by the logarithm
    bool sinks_out = false; ///< sink columns are left out, rows renormalised, heads fade by their sink mass
    bool mean = false;      ///< of long runs: dots that stand for many cells show their mean, not the largest
};

/// The analysis that gives a measure, and its parameters; an empty id: it lies in the run itself.
struct MeasureAnalysis {
    QString id;
    Json values = Json::object();
    QString result;  ///< name of its stack
    QString unit;    ///< beside the colour bar
    QString meaning; ///< in one sentence
};
MeasureAnalysis analysis_of(Measure measure);
/// What the cells of a long run are for a measure that it can show: any but rollout.
attention::Cells cells_of(Measure measure);
/// As exported numbers call it.
std::string name_of(Measure measure);

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
    Measure measure = Measure::weight;
    int heads = 0;                    ///< 1: all of them in one
    double smallest = 0, largest = 1; ///< ends of the colour scale
    /// Of a long run, or of the differences between two, in place of patterns.
    std::shared_ptr<attention::HeadStore> store;
    RunPtr minus; ///< of the store's differences: what is subtracted from `run`

    const figure::Matrix& pattern(int layer, int head) const {
        return patterns[static_cast<std::size_t>(layer) * static_cast<std::size_t>(heads) +
                        static_cast<std::size_t>(std::min(head, heads - 1))];
    }
};
AttentionData attention_data(const Desk& desk);
figure::ColourScale scale_of(const AttentionData& data, const AttentionOptions& options,
                             const figure::Theme& theme);
/// The same of a measure that an analysis gave: the stack `NAME`, or `NAME_difference` for A − B.
AttentionData measured_data(const Desk& desk, Measure measure,
                            const std::vector<engine::ResultValue>& results);

std::shared_ptr<figure::AttentionGrid>
grid_picture(const AttentionData& data, const AttentionOptions& options, const figure::Theme& theme);
std::shared_ptr<figure::Heatmap> head_picture(const AttentionData& data, const AttentionOptions& options,
                                              const Place& place, const HeadSet& set,
                                              const figure::Theme& theme);

/// The numbers of the grid (layer × head × query × key) and of one head (query × key).
std::vector<engine::ResultValue> grid_results(const AttentionData& data);
std::vector<engine::ResultValue> head_results(const AttentionData& data, const Place& place);

/// Why a difference shows nothing.
QString equal_sides();

/// Shown texts of a run's tokens.
QStringList token_labels(const ShownRun& run);

/// The command line that captures the same numbers, interventions included: `vitrine-cli run MODEL --ids …`.
QString capture_command(const ShownRun& run, const QString& capture);

/// The command line of an analysis of a row of ids with interventions, on the model and device of a run.
QString analyze_command(const ShownRun& run, const QString& id, const std::vector<std::int32_t>& ids,
                        const QStringList& edits);

} // namespace vitrine::views
