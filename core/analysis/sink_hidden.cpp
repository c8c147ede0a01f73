#include "core/analysis/sink_hidden.h"

#include <algorithm>

#include "core/analysis/axes.h"
#include "core/analysis/sink_rows.h"
#include "core/analysis/sinks.h"

namespace vitrine::analysis {

namespace {

// Columns that fewer queries see say little: an even spread alone passes the threshold there.
constexpr int few_queries = 8;
constexpr std::size_t listed_sinks = 2000;

} // namespace

std::vector<int> sink_columns(sdk::View pattern, double threshold, int queries) {
    const auto length = static_cast<int>(pattern.size(0));
    std::vector<int> columns;
    for (int key = 0; length - key >= queries && key < length; ++key)
        if (sink_alpha(pattern, key) > threshold) columns.push_back(key);
    return columns;
}

sdk::Manifest SinkHidden::manifest() {
    return sdk::Manifest("sink-hidden", "Hidden and secondary sinks")
        .summary("Sinks beside the first. Hidden: in one head, key j is a sink if Σ_i A[i,j]/(T−j) is above "
                 "`threshold`; the first that is found in a head is exempt (it is the initial sink), the "
                 "others are hidden sinks: these are the columns that the edit `calibrate` scales down. "
                 "Secondary: a key other than 0 whose alpha is above `epsilon`, as in the sink rate. The "
                 "last keys are seen by few queries and pass by chance: `queries` says by how many, "
                 "`uniform` is the alpha of an even spread, and min_queries leaves them out (1: the "
                 "published form).")
        .citation("Yu et al. 2024, Unveiling and Harnessing Hidden Attention Sinks (ACT)")
        .number("threshold", 0.1, "mean attention above which a key is a sink of a head", 0, 1)
        .number("epsilon", 0.3, "alpha above which a key counts as secondary sink", 0, 1)
        .integer("min_queries", 1, "queries that must see a key; keys that fewer see are left out", 1)
        .result("heads", "matrix", "[row ×] layer × key; heads with a hidden sink there")
        .result("hidden", "matrix", "layer × head; hidden sinks of a row, mean over rows")
        .result("sinks", "table",
                "row, layer, head, key, token, alpha, uniform, queries; largest alpha first")
        .result("secondary", "table",
                "keys other than 0 with an alpha above epsilon somewhere: heads that sink there, their share "
                "of all heads in percent, mean and largest alpha, and where it is")
        .result("note", "text", "rows, and how many hidden sinks few queries see");
}

std::optional<sdk::Failure> SinkHidden::begin(const sdk::Start& start) {
    threshold_ = start.number("threshold");
    epsilon_ = start.number("epsilon");
    queries_ = start.integer("min_queries");
    map_ = per_row("heads", "matrix", start.rows, {{"layer", start.model.layers}}, {"key"});
    map_.whole = true;
    hidden_ = layer_by_head("hidden", start.model);
    for (const sdk::Row& row : start.rows)
        keys_.emplace_back(static_cast<std::size_t>(row.size()));
    return std::nullopt;
}

void SinkHidden::visit(int row, int layer, sdk::View pattern, const Besides&) {
    const auto length = static_cast<int>(pattern.size(1));
    const auto width = map_.axes.back().size;
    double* line = map_.data.data() + (std::int64_t{row} * model().layers + layer) * width;
    std::fill(line, line + length, 0.0);
    for (int head = 0; head < pattern.size(0); ++head) {
        const std::vector<int> columns = sink_columns(pattern[head], threshold_, queries_);
        for (std::size_t i = 1; i < columns.size(); ++i) {
            const int key = columns[i];
            line[key] += 1;
            hidden_(layer, head) += 1.0 / static_cast<double>(rows().size());
            if (length - key < few_queries) ++few_;
            found_.push_back({row, layer, head, key, sink_alpha(pattern[head], key)});
        }
        for (int key = 1; key < length && length - key >= queries_; ++key) {
            const double alpha = sink_alpha(pattern[head], key);
            Key& entry = keys_[static_cast<std::size_t>(row)][static_cast<std::size_t>(key)];
            entry.heads += alpha > epsilon_ ? 1 : 0;
            entry.sum += alpha;
            if (alpha > entry.largest) {
                entry.largest = alpha;
                entry.layer = layer;
                entry.head = head;
            }
        }
    }
}

sdk::Reply SinkHidden::finish() {
    std::stable_sort(found_.begin(), found_.end(),
                     [](const Column& a, const Column& b) { return a.alpha > b.alpha; });
    sdk::Json sinks = sdk::Json::array();
    for (std::size_t i = 0; i < std::min(found_.size(), listed_sinks); ++i) {
        const Column& column = found_[i];
        const sdk::Row& row = rows()[static_cast<std::size_t>(column.row)];
        sinks.push_back({{"row", column.row},
                         {"layer", column.layer},
                         {"head", column.head},
                         {"key", column.key},
                         {"id", row.ids[static_cast<std::size_t>(column.key)]},
                         {"alpha", column.alpha},
                         {"uniform", uniform_alpha(model(), row.size(), column.key)},
                         {"queries", row.size() - column.key}});
    }
    const double heads = static_cast<double>(model().layers) * model().heads;
    sdk::Json secondary = sdk::Json::array();
    for (std::size_t row = 0; row < keys_.size(); ++row)
        for (std::size_t key = 1; key < keys_[row].size(); ++key) {
            const Key& entry = keys_[row][key];
            if (entry.heads == 0) continue;
            secondary.push_back({{"row", row},
                                 {"key", key},
                                 {"id", rows()[row].ids[key]},
                                 {"heads", entry.heads},
                                 {"share", 100 * entry.heads / heads},
                                 {"mean_alpha", entry.sum / heads},
                                 {"largest_alpha", entry.largest},
                                 {"layer", entry.layer},
                                 {"head", entry.head},
                                 {"queries", keys_[row].size() - key}});
        }
    std::stable_sort(secondary.begin(), secondary.end(), [](const sdk::Json& a, const sdk::Json& b) {
        return a["heads"].get<int>() > b["heads"].get<int>();
    });
    std::string note = describe_rows(rows()) + " " + std::to_string(found_.size()) + " hidden sinks";
    if (few_ > 0)
        note += ", " + std::to_string(few_) + " of them at keys that fewer than " +
                std::to_string(few_queries) + " queries see (min_queries=" + std::to_string(few_queries) +
                " leaves these out)";
    note += ".";
    if (found_.size() > listed_sinks)
        note += " The " + std::to_string(listed_sinks) + " with the largest alpha are listed.";
    return sdk::Done{{map_, hidden_, sdk::ResultData::table("sinks", std::move(sinks)),
                      sdk::ResultData::table("secondary", std::move(secondary)),
                      sdk::ResultData::text("note", note)}};
}

} // namespace vitrine::analysis
