#include "core/analysis/head_metrics.h"

#include <algorithm>
#include <cmath>

#include "core/analysis/axes.h"

namespace vitrine::analysis {

sdk::Manifest HeadMetrics::manifest() {
    const auto one = [](const std::string& what) { return "layer × head; " + what; };
    return sdk::Manifest("head-metrics", "Head metrics")
        .summary(
            "What each head does, by its patterns, means over rows of equal weight. previous, duplicate "
            "and induction: Σ(A∘P)/ΣA against the reference pattern P (previous key; earlier copies of "
            "the query's token; the keys after these). The rates: attention on those keys, mean over the "
            "queries that have an earlier copy (perfect = 1; null where no token repeats). self, distance "
            "(keys back) and sink (key 0): means over all queries. prompt_mass: attention of greedily "
            "generated tokens on the prompt, key 0 left out. Without prompts: BOS and random ids, twice.")
        .citation(
            "TransformerLens head_detector; Olsson et al. 2022, In-context Learning and Induction Heads")
        .prompts_optional()
        .integer("seed", 0, "of the random ids", 0)
        .integer("samples", 4, "rows of random ids", 1, 1000)
        .integer("length", 50, "random ids in a row, which are repeated once", 1, 100000)
        .integer("max_new", 12, "tokens generated for prompt_mass; 0: none, and it is null", 0, 100000)
        .result("previous", "matrix", one("share of attention on the previous key"))
        .result("duplicate", "matrix", one("share of attention on earlier copies"))
        .result("induction", "matrix", one("share of attention on keys after earlier copies"))
        .result("self", "matrix", one("mean A[i,i]"))
        .result("distance", "matrix", one("mean Σ_j (i − j) A[i,j]"))
        .result("sink", "matrix", one("mean A[i,0]"))
        .result("induction_rate", "matrix", one("mean over queries with an earlier copy"))
        .result("duplicate_rate", "matrix", one("mean over queries with an earlier copy"))
        .result("prompt_mass", "matrix", one("mean over generated queries of Σ_{0<j<prompt} A[t,j]"))
        .result("rows", "table", "the ids that were measured")
        .result("note", "text", "where the rows come from, and what was left out");
}

std::optional<sdk::Failure> HeadMetrics::begin(const sdk::Start& start) {
    const sdk::ModelFacts& facts = start.model;
    max_new_ = start.integer("max_new");
    note_ = "Rows as given.";
    if (start.rows.empty()) {
        const int length = start.integer("length");
        if (1 + 2 * length > facts.context)
            return sdk::Failure{"out-of-range", "Twice " + std::to_string(length) +
                                                    " random ids and a BOS do not fit into the context of " +
                                                    std::to_string(facts.context) +
                                                    " tokens: choose a smaller length."};
        auto rows = repeated_random_rows(facts, start.integer("samples"), length,
                                         static_cast<std::uint64_t>(start.integer("seed")));
        if (rows.empty())
            return sdk::Failure{"out-of-range", "The vocabulary has fewer than " + std::to_string(length) +
                                                    " ordinary tokens: choose a smaller length."};
        note_ = std::to_string(rows.size()) + " rows of " + (facts.bos ? "BOS and " : "") + "2 × " +
                std::to_string(length) + " random ids, seed " + std::to_string(start.integer("seed")) + ".";
        use_rows(std::move(rows));
    }
    for (auto* result : {&previous_, &duplicate_, &induction_, &self_, &distance_, &sink_, &induction_rate_,
                         &duplicate_rate_, &prompt_mass_})
        *result = layer_by_head("", facts);
    for (const sdk::Row& row : rows()) {
        std::vector<std::int32_t> sorted = row.ids;
        std::sort(sorted.begin(), sorted.end());
        repeats_.push_back(std::adjacent_find(sorted.begin(), sorted.end()) != sorted.end());
    }
    return std::nullopt;
}

void HeadMetrics::visit(int row, int layer, sdk::View pattern, const Besides&) {
    const auto index = static_cast<std::size_t>(row);
    const double weight = 1.0 / static_cast<double>(rows().size());
    const auto repeating = std::count(repeats_.begin(), repeats_.end(), true);
    for (int head = 0; head < pattern.size(0); ++head) {
        const HeadScores scores = head_scores(pattern[head], rows()[index].ids);
        previous_(layer, head) += weight * scores.previous;
        duplicate_(layer, head) += weight * scores.duplicate;
        induction_(layer, head) += weight * scores.induction;
        self_(layer, head) += weight * scores.self;
        distance_(layer, head) += weight * scores.distance;
        sink_(layer, head) += weight * scores.sink;
        if (!repeats_[index]) continue;
        induction_rate_(layer, head) += scores.induction_rate / static_cast<double>(repeating);
        duplicate_rate_(layer, head) += scores.duplicate_rate / static_cast<double>(repeating);
    }
}

sdk::Reply HeadMetrics::finish() {
    const auto without = std::count(repeats_.begin(), repeats_.end(), false);
    if (without == static_cast<std::ptrdiff_t>(rows().size())) {
        for (auto* result : {&induction_rate_, &duplicate_rate_})
            std::fill(result->data.begin(), result->data.end(), std::nan(""));
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
        generation.captures.push_back("blocks." + std::to_string(layer) + ".attn.hook_pattern");
    generation.max_new = max_new_;
    generation.stop = false;
    sdk::Need need;
    need.generations.push_back(std::move(generation));
    need.progress = 0.5;
    return need;
}

sdk::Reply HeadMetrics::after(const sdk::Answer& answer) {
    std::size_t rows_counted = 0;
    for (std::size_t row = 0; row < rows().size(); ++row)
        rows_counted += answer.generated(0, static_cast<int>(row)).at("steps").size() > 1 ? 1 : 0;
    if (rows_counted < rows().size())
        note_ += " Prompt mass leaves out " + std::to_string(rows().size() - rows_counted) +
                 " rows that leave no room in the context.";
    if (rows_counted == 0) std::fill(prompt_mass_.data.begin(), prompt_mass_.data.end(), std::nan(""));
    for (int row = 0; row < static_cast<int>(rows().size()); ++row) {
        const int prompt = rows()[static_cast<std::size_t>(row)].size();
        const auto steps = static_cast<int>(answer.generated(0, row).at("steps").size());
        for (int step = 1; step < steps; ++step)
            for (int layer = 0; layer < model().layers; ++layer) {
                const sdk::View pattern = answer.generated_capture(
                    0, row, step, "blocks." + std::to_string(layer) + ".attn.hook_pattern");
                for (int head = 0; head < model().heads; ++head) {
                    double mass = 0;
                    for (int key = 1; key < prompt; ++key)
                        mass += pattern(head, 0, key);
                    prompt_mass_(layer, head) += mass / (steps - 1) / static_cast<double>(rows_counted);
                }
            }
    }
    return done();
}

sdk::Done HeadMetrics::done() const {
    sdk::Done done;
    for (const auto& [name, result] : {std::pair{"previous", &previous_},
                                       {"duplicate", &duplicate_},
                                       {"induction", &induction_},
                                       {"self", &self_},
                                       {"distance", &distance_},
                                       {"sink", &sink_},
                                       {"induction_rate", &induction_rate_},
                                       {"duplicate_rate", &duplicate_rate_},
                                       {"prompt_mass", &prompt_mass_}}) {
        done.results.push_back(*result);
        done.results.back().name = name;
    }
    sdk::Json table = sdk::Json::array();
    for (std::size_t row = 0; row < rows().size(); ++row)
        table.push_back({{"row", row}, {"ids", rows()[row].ids}});
    done.results.push_back(sdk::ResultData::table("rows", std::move(table)));
    done.results.push_back(sdk::ResultData::text("note", note_));
    return done;
}

} // namespace vitrine::analysis
