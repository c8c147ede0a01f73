#include "core/analysis/changed_prompts.h"

#include <algorithm>
#include <cmath>

#include "core/analysis/budget.h"
#include "core/analysis/unembed.h"

namespace vitrine::analysis {

sdk::Manifest& declare_reading(sdk::Manifest& manifest) {
    return manifest
        .tokens("token", "the token whose probability is read; several: the sum of theirs; default: the "
                         "model's own most likely one")
        .positions("position", -1, "one position: where the next token is read");
}

std::optional<sdk::Failure> check_tokens(const sdk::ModelFacts& model, const std::vector<std::int32_t>& ids) {
    for (const std::int32_t id : ids)
        if (id < 0 || id >= model.vocab)
            return sdk::Failure{"out-of-range", "There is no token " + std::to_string(id) +
                                                    ": the vocabulary has " + std::to_string(model.vocab) +
                                                    " tokens."};
    return std::nullopt;
}

std::optional<sdk::Failure> read_readings(const sdk::Start& start, std::vector<Reading>& readings) {
    for (std::size_t row = 0; row < start.rows.size(); ++row) {
        const sdk::Row& given = start.rows[row];
        const auto positions = start.positions("position", given.size());
        if (!positions)
            return sdk::Failure{"out-of-range", "The position lies outside row " + std::to_string(row) +
                                                    ", which has " + std::to_string(given.size()) +
                                                    " tokens: choose another one."};
        if (positions->size() != 1)
            return sdk::Failure{"usage",
                                "This analysis reads one position of each row: give position one number."};
        const std::vector<std::int32_t> ids = start.tokens("token");
        if (auto failure = check_tokens(start.model, ids)) return failure;
        Reading reading{positions->front(), {ids.begin(), ids.end()}};
        readings.push_back(std::move(reading));
    }
    return std::nullopt;
}

double probability_of(sdk::View logits, const std::vector<int>& tokens) {
    const Distribution all = distribution(logits.data(), static_cast<int>(logits.size(0)));
    double sum = 0;
    for (const int token : tokens)
        sum += std::exp(static_cast<double>(logits(token)) - all.logsumexp);
    return sum;
}

double logit_of(sdk::View logits, const std::vector<int>& tokens) {
    double sum = 0;
    for (const int token : tokens)
        sum += static_cast<double>(logits(token));
    return sum / static_cast<double>(tokens.size());
}

std::vector<std::int32_t> plain_ids(const sdk::ModelFacts& model) {
    std::vector<bool> special(static_cast<std::size_t>(model.vocab));
    for (const std::int32_t id : model.special_ids)
        if (id < model.vocab) special[static_cast<std::size_t>(id)] = true;
    std::vector<std::int32_t> ids;
    for (std::int32_t id = 0; id < model.vocab; ++id)
        if (!special[static_cast<std::size_t>(id)]) ids.push_back(id);
    return ids;
}

sdk::Need ReadInParts::need() {
    const std::size_t most = static_cast<std::size_t>(
        std::max<std::int64_t>(1, bytes_of_one_need / (4 * static_cast<std::int64_t>(vocab_))));
    in_need_ = std::min(most, rows_.size() - next_);
    sdk::Run run;
    const auto first = rows_.begin() + static_cast<std::ptrdiff_t>(next_);
    run.rows.assign(first, first + static_cast<std::ptrdiff_t>(in_need_));
    for (sdk::Row& row : run.rows)
        row.special.assign(row.ids.size(), false);
    run.logits = true;
    sdk::Need need;
    need.runs.push_back(std::move(run));
    need.progress = static_cast<double>(next_) / static_cast<double>(rows_.size());
    return need;
}

} // namespace vitrine::analysis
