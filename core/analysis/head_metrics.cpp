#include "core/analysis/head_metrics.h"

#include <algorithm>
#include <cmath>

#include "core/analysis/axes.h"

namespace vitrine::analysis {

namespace {

// Metrics of the scatter's axis, the one that it starts with first.
std::vector<std::string> metrics_from(const std::string& first) {
    std::vector<std::string> names{first};
    for (const NamedScore& score : named_scores())
        if (score.name != first) names.emplace_back(score.name);
    names.emplace_back("prompt_mass");
    return names;
}

std::string pattern_hook(int layer) { return "blocks." + std::to_string(layer) + ".attn.hook_pattern"; }

} // namespace

sdk::Manifest HeadMetrics::manifest() {
    sdk::Manifest manifest("head-metrics", "Head metrics");
    manifest
        .summary(
            "What each head does, by its patterns, means over rows of equal weight. previous, duplicate "
            "and induction: Σ(A∘P)/ΣA against the reference pattern P (previous key; earlier copies of "
            "the query's token; the keys after these). The rates: attention on those keys, mean over the "
            "queries that have an earlier copy (perfect = 1; null where no token repeats). self, distance "
            "(keys back), sink (key 0) and entropy: means over all queries. prompt_mass: attention of "
            "greedily generated tokens on the prompt, key 0 left out; by step it shows whether attention "
            "leaves the prompt as the text grows. Without prompts: BOS and random ids, twice.")
        .citation(
            "TransformerLens head_detector; Olsson et al. 2022, In-context Learning and Induction Heads")
        .prompts_optional();
    random_row_parameters(manifest)
        .integer("max_new", 12, "tokens generated for prompt_mass; 0: none, and it is null", 0, 100000)
        .choice("x", metrics_from("sink"), "metric across the scatter")
        .choice("y", metrics_from("induction_rate"), "metric up the scatter");
    for (const NamedScore& score : named_scores())
        manifest.result(score.name, "matrix", std::string("layer × head; ") + score.doc);
    return manifest
        .result("prompt_mass", "matrix", "layer × head; mean over generated queries of Σ_{0<j<prompt} A[t,j]")
        .result("mass_by_step", "series",
                "part (prompt without key 0, key 0, what was generated) × step; mean over heads")
        .result("prompt_mass_by_step", "matrix", "layer × head × step; Σ_{0<j<prompt} A[t,j]")
        .result("sink_mass_by_step", "matrix", "layer × head × step; A[t,0]")
        .result("all_heads", "table", "every head with all its metrics")
        .result("scatter", "table", "every head with the metrics x and y")
        .result("rows", "table", "the ids that were measured")
        .result("note", "text", "where the rows come from, and what was left out");
}

std::optional<sdk::Failure> HeadMetrics::begin(const sdk::Start& start) {
    x_ = start.text("x");
    y_ = start.text("y");
    if (x_ == y_)
        return sdk::Failure{"usage", "x and y are both " + x_ + ": choose two metrics for the scatter."};
    max_new_ = start.integer("max_new");
    note_ = "Rows as given.";
    if (start.rows.empty()) {
        RandomRows random = random_rows(start);
        if (random.failure) return random.failure;
        note_ = random.note;
        use_rows(std::move(random.rows));
    }
    for (const NamedScore& score : named_scores())
        scores_.push_back(layer_by_head(score.name, start.model));
    prompt_mass_ = layer_by_head("prompt_mass", start.model);
    repeats_ = repeating(rows());
    return std::nullopt;
}

void HeadMetrics::visit(int row, int layer, sdk::View pattern, const Besides&) {
    const auto index = static_cast<std::size_t>(row);
    const double all = 1.0 / static_cast<double>(rows().size());
    const auto with_copies = std::count(repeats_.begin(), repeats_.end(), true);
    for (int head = 0; head < pattern.size(0); ++head) {
        const HeadScores scores = head_scores(pattern[head], rows()[index].ids);
        for (std::size_t i = 0; i < scores_.size(); ++i) {
            const NamedScore& named = named_scores()[i];
            if (named.needs_copies && !repeats_[index]) continue;
            const double weight = named.needs_copies ? 1.0 / static_cast<double>(with_copies) : all;
            scores_[i](layer, head) += weight * scores.*named.value;
        }
    }
}

sdk::Reply HeadMetrics::finish() {
    const auto without = std::count(repeats_.begin(), repeats_.end(), false);
    if (without == static_cast<std::ptrdiff_t>(rows().size())) {
        for (std::size_t i = 0; i < scores_.size(); ++i)
            if (named_scores()[i].needs_copies)
                std::fill(scores_[i].data.begin(), scores_[i].data.end(), std::nan(""));
        note_ += " No token repeats, so there are no rates.";
    } else if (without > 0) {
        note_ += " Rates leave out " + std::to_string(without) + " rows in which no token repeats.";
    }
    // Generated queries are those from the second step on: the first token is drawn at the prompt's end.
    if (max_new_ < 2) {
        std::fill(prompt_mass_.data.begin(), prompt_mass_.data.end(), std::nan(""));
        note_ += " Nothing was generated, so there is no prompt mass.";
        return done();
    }
    sdk::Generation generation;
    generation.rows = rows();
    for (int layer = 0; layer < model().layers; ++layer)
        generation.captures.push_back(pattern_hook(layer));
    generation.max_new = max_new_;
    generation.stop = false;
    sdk::Need need;
    need.generations.push_back(std::move(generation));
    need.progress = 0.5;
    return need;
}

sdk::Reply HeadMetrics::after(const sdk::Answer& answer) {
    std::vector<int> steps; // of each row
    for (std::size_t row = 0; row < rows().size(); ++row)
        steps.push_back(static_cast<int>(answer.generated(0, static_cast<int>(row)).at("steps").size()));
    const auto rows_counted = std::count_if(steps.begin(), steps.end(), [](int count) { return count > 1; });
    if (rows_counted < static_cast<std::ptrdiff_t>(rows().size()))
        note_ += " Prompt mass leaves out " +
                 std::to_string(static_cast<std::ptrdiff_t>(rows().size()) - rows_counted) +
                 " rows that leave no room in the context.";
    if (rows_counted == 0) {
        std::fill(prompt_mass_.data.begin(), prompt_mass_.data.end(), std::nan(""));
        return done();
    }
    const int longest = *std::max_element(steps.begin(), steps.end());
    sdk::Axis by_step{"step", longest - 1, {}};
    for (int step = 1; step < longest; ++step)
        by_step.labels.push_back(std::to_string(step));
    for (auto* result : {&prompt_by_step_, &sink_by_step_}) {
        *result = sdk::ResultData::array("", "matrix",
                                         {{"layer", model().layers}, {"head", model().heads}, by_step});
        std::fill(result->data.begin(), result->data.end(), 0.0);
    }
    for (int row = 0; row < static_cast<int>(rows().size()); ++row) {
        const int prompt = rows()[static_cast<std::size_t>(row)].size();
        const int count = steps[static_cast<std::size_t>(row)];
        for (int step = 1; step < count; ++step) {
            const auto so_far =
                std::count_if(steps.begin(), steps.end(), [&](int other) { return other > step; });
            for (int layer = 0; layer < model().layers; ++layer) {
                const sdk::View pattern = answer.generated_capture(0, row, step, pattern_hook(layer));
                for (int head = 0; head < model().heads; ++head) {
                    double mass = 0;
                    for (int key = 1; key < prompt; ++key)
                        mass += pattern(head, 0, key);
                    prompt_mass_(layer, head) += mass / (count - 1) / static_cast<double>(rows_counted);
                    prompt_by_step_(layer, head, step - 1) += mass / static_cast<double>(so_far);
                    sink_by_step_(layer, head, step - 1) += pattern(head, 0, 0) / static_cast<double>(so_far);
                }
            }
        }
    }
    return done();
}

double HeadMetrics::value_of(const std::string& metric, int layer, int head) const {
    const sdk::ResultData* found = &prompt_mass_;
    for (const sdk::ResultData& score : scores_)
        if (score.name == metric) found = &score;
    return found->data[static_cast<std::size_t>(layer * model().heads + head)];
}

namespace {

// Numbers that are none become null.
sdk::Json cell(double value) { return std::isfinite(value) ? sdk::Json(value) : sdk::Json(nullptr); }

} // namespace

sdk::ResultData HeadMetrics::heads() const {
    sdk::Json table = sdk::Json::array();
    for (int layer = 0; layer < model().layers; ++layer)
        for (int head = 0; head < model().heads; ++head) {
            sdk::Json row = {{"layer", layer}, {"head", head}};
            for (const sdk::ResultData& score : scores_)
                row[score.name] = cell(value_of(score.name, layer, head));
            row["prompt_mass"] = cell(value_of("prompt_mass", layer, head));
            table.push_back(std::move(row));
        }
    return sdk::ResultData::table("all_heads", std::move(table));
}

sdk::ResultData HeadMetrics::scatter() const {
    sdk::Json table = sdk::Json::array();
    for (int layer = 0; layer < model().layers; ++layer)
        for (int head = 0; head < model().heads; ++head)
            table.push_back({{"layer", layer},
                             {"head", head},
                             {x_, cell(value_of(x_, layer, head))},
                             {y_, cell(value_of(y_, layer, head))}});
    return sdk::ResultData::table("scatter", std::move(table));
}

sdk::Done HeadMetrics::done() const {
    sdk::Done done;
    done.results = scores_;
    done.results.push_back(prompt_mass_);
    if (!prompt_by_step_.axes.empty()) {
        const auto steps = static_cast<int>(prompt_by_step_.axes.back().size);
        auto parts = sdk::ResultData::array(
            "mass_by_step", "series",
            {{"part", 3, {"prompt without key 0", "key 0", "generated"}}, prompt_by_step_.axes.back()});
        const int heads = model().layers * model().heads;
        for (int step = 0; step < steps; ++step) {
            double prompt = 0, sink = 0;
            for (int head = 0; head < heads; ++head) {
                const auto at = static_cast<std::size_t>(head * steps + step);
                prompt += prompt_by_step_.data[at] / heads;
                sink += sink_by_step_.data[at] / heads;
            }
            parts(0, step) = prompt;
            parts(1, step) = sink;
            parts(2, step) = 1 - prompt - sink;
        }
        done.results.push_back(std::move(parts));
        done.results.push_back(prompt_by_step_);
        done.results.back().name = "prompt_mass_by_step";
        done.results.push_back(sink_by_step_);
        done.results.back().name = "sink_mass_by_step";
    }
    done.results.push_back(heads());
    done.results.push_back(scatter());
    sdk::Json table = sdk::Json::array();
    for (std::size_t row = 0; row < rows().size(); ++row)
        table.push_back({{"row", row}, {"ids", rows()[row].ids}});
    done.results.push_back(sdk::ResultData::table("rows", std::move(table)));
    done.results.push_back(sdk::ResultData::text("note", note_));
    return done;
}

} // namespace vitrine::analysis
