#include <algorithm>
#include <cmath>
#include <random>
#include <set>
#include <unordered_map>

#include "core/analysis/head_metrics.h"

namespace vitrine::analysis {

HeadScores head_scores(sdk::View pattern, const std::vector<std::int32_t>& ids) {
    const auto length = static_cast<int>(ids.size());
    HeadScores scores;
    double total = 0, previous = 0, duplicate = 0, induction = 0;
    int with_copy = 0;
    std::unordered_map<std::int32_t, std::vector<int>> copies; // positions before the query
    for (int query = 0; query < length; ++query) {
        const sdk::View row = pattern[query];
        for (int key = 0; key <= query; ++key) {
            total += row(key);
            if (row(key) > 0) scores.entropy -= row(key) * std::log(static_cast<double>(row(key)));
            scores.distance += (query - key) * static_cast<double>(row(key));
        }
        if (query > 0) previous += row(query - 1);
        std::vector<int>& earlier = copies[ids[static_cast<std::size_t>(query)]];
        for (const int copy : earlier) {
            duplicate += row(copy);
            induction += row(copy + 1);
        }
        if (!earlier.empty()) ++with_copy;
        earlier.push_back(query);
        scores.self += row(query);
        scores.sink += row(0);
    }
    scores.previous = previous / total;
    scores.duplicate = duplicate / total;
    scores.induction = induction / total;
    scores.self /= length;
    scores.distance /= length;
    scores.sink /= length;
    scores.entropy /= length;
    scores.duplicate_rate = with_copy > 0 ? duplicate / with_copy : std::nan("");
    scores.induction_rate = with_copy > 0 ? induction / with_copy : std::nan("");
    return scores;
}

std::vector<sdk::Row> repeated_random_rows(const sdk::ModelFacts& model, int samples, int length,
                                           std::uint64_t seed) {
    std::set<std::int32_t> special(model.special_ids.begin(), model.special_ids.end());
    if (model.bos) special.insert(*model.bos);
    std::vector<std::int32_t> ordinary;
    for (std::int32_t id = 0; id < model.vocab; ++id)
        if (!special.contains(id)) ordinary.push_back(id);
    if (ordinary.size() < static_cast<std::size_t>(length)) return {};
    std::mt19937_64 random(seed);
    std::vector<sdk::Row> rows;
    for (int sample = 0; sample < samples; ++sample) {
        sdk::Row row;
        if (model.bos) row.ids.push_back(*model.bos);
        // The first `length` of a shuffle; the modulo's bias is far below anything measured here.
        for (std::size_t i = 0; i < static_cast<std::size_t>(length); ++i) {
            std::swap(ordinary[i], ordinary[i + random() % (ordinary.size() - i)]);
            row.ids.push_back(ordinary[i]);
        }
        row.ids.insert(row.ids.end(), ordinary.begin(), ordinary.begin() + length);
        row.special.assign(row.ids.size(), false);
        row.special.front() = model.bos.has_value();
        rows.push_back(std::move(row));
    }
    return rows;
}

const std::vector<NamedScore>& named_scores() {
    static const std::vector<NamedScore> all = {
        {"previous", &HeadScores::previous, "share of attention on the previous key"},
        {"duplicate", &HeadScores::duplicate, "share of attention on earlier copies"},
        {"induction", &HeadScores::induction, "share of attention on keys after earlier copies"},
        {"self", &HeadScores::self, "mean A[i,i]"},
        {"distance", &HeadScores::distance, "mean Σ_j (i − j) A[i,j]"},
        {"sink", &HeadScores::sink, "mean A[i,0]"},
        {"induction_rate", &HeadScores::induction_rate, "mean over queries with an earlier copy", true},
        {"duplicate_rate", &HeadScores::duplicate_rate, "mean over queries with an earlier copy", true},
        {"entropy", &HeadScores::entropy, "mean −Σ_j A[i,j] ln A[i,j], nats"},
    };
    return all;
}

sdk::Manifest& random_row_parameters(sdk::Manifest& manifest) {
    return manifest.integer("seed", 0, "of the random ids", 0)
        .integer("samples", 4, "rows of random ids", 1, 1000)
        .integer("length", 50, "random ids in a row, which are repeated once", 1, 100000);
}

RandomRows random_rows(const sdk::Start& start) {
    const sdk::ModelFacts& facts = start.model;
    const int length = start.integer("length");
    RandomRows out;
    if (1 + 2 * length > facts.context) {
        out.failure = sdk::Failure{"out-of-range",
                                   "Twice " + std::to_string(length) +
                                       " random ids and a BOS do not fit into the context of " +
                                       std::to_string(facts.context) + " tokens: choose a smaller length."};
        return out;
    }
    out.rows = repeated_random_rows(facts, start.integer("samples"), length,
                                    static_cast<std::uint64_t>(start.integer("seed")));
    if (out.rows.empty())
        out.failure = sdk::Failure{"out-of-range", "The vocabulary has fewer than " + std::to_string(length) +
                                                       " ordinary tokens: choose a smaller length."};
    out.note = std::to_string(out.rows.size()) + " rows of " + (facts.bos ? "BOS and " : "") + "2 × " +
               std::to_string(length) + " random ids, seed " + std::to_string(start.integer("seed")) + ".";
    return out;
}

std::vector<bool> repeating(const std::vector<sdk::Row>& rows) {
    std::vector<bool> out;
    for (const sdk::Row& row : rows) {
        std::vector<std::int32_t> sorted = row.ids;
        std::sort(sorted.begin(), sorted.end());
        out.push_back(std::adjacent_find(sorted.begin(), sorted.end()) != sorted.end());
    }
    return out;
}

} // namespace vitrine::analysis
