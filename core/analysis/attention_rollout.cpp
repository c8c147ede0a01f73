#include "core/analysis/attention_rollout.h"

#include "core/analysis/axes.h"

namespace vitrine::analysis {

namespace {

constexpr double most_rollout_elements = 1U << 28;

} // namespace

sdk::Manifest AttentionRollout::manifest() {
    return sdk::Manifest("attention-rollout", "Attention rollout")
        .summary("R_l = (A_l + I)/2 · R_(l−1) with R before the first layer = I; A_l is the mean over the "
                 "heads of layer l. R_l[query, key] is the share of the input token at key in the residual "
                 "stream at query after layer l, if every layer passed on its input and what it attends to "
                 "in equal halves and moved tokens unchanged; each row sums to 1. MLPs, values and norms "
                 "have no part in it.")
        .citation("Abnar and Zuidema 2020, Quantifying Attention Flow in Transformers")
        .result("rollout", "stack", "[row ×] layer × query × key");
}

std::optional<sdk::Failure> AttentionRollout::begin(const sdk::Start& start) {
    double elements = 0;
    for (const sdk::Row& row : start.rows)
        elements = std::max(elements, static_cast<double>(row.size()));
    elements *= elements * start.model.layers * static_cast<double>(start.rows.size());
    if (elements > most_rollout_elements)
        return sdk::Failure{"too-large",
                            "The rollout of all rows is too large to be shown at once: shorten the prompt."};
    stack_ = per_row("rollout", "stack", start.rows, {{"layer", start.model.layers}}, {"query", "key"});
    return std::nullopt;
}

void AttentionRollout::visit(int row, int layer, sdk::View pattern, const Besides&) {
    const auto length = static_cast<std::size_t>(pattern.size(1));
    const auto heads = pattern.size(0);
    if (layer == 0) {
        reached_.assign(length * length, 0);
        for (std::size_t at = 0; at < length; ++at)
            reached_[at * length + at] = 1;
    }
    const auto width = static_cast<std::size_t>(stack_.axes.back().size);
    const auto plane = (static_cast<std::size_t>(row) * static_cast<std::size_t>(model().layers) +
                        static_cast<std::size_t>(layer)) *
                       width;
    // A query reaches earlier rows only, so from the last query up each row may be overwritten in place.
    std::vector<double> mixed(length);
    for (std::size_t query = length; query-- > 0;) {
        for (std::size_t key = 0; key <= query; ++key)
            mixed[key] = reached_[query * length + key] / 2;
        for (std::size_t via = 0; via <= query; ++via) {
            double mean = 0;
            for (std::int64_t head = 0; head < heads; ++head)
                mean += pattern(head, static_cast<std::int64_t>(query), static_cast<std::int64_t>(via));
            mean /= 2 * static_cast<double>(heads);
            if (mean == 0) continue;
            for (std::size_t key = 0; key <= via; ++key)
                mixed[key] += mean * reached_[via * length + key];
        }
        for (std::size_t key = 0; key <= query; ++key) {
            reached_[query * length + key] = mixed[key];
            stack_.data[(plane + query) * width + key] = mixed[key];
        }
        for (std::size_t key = query + 1; key < length; ++key)
            stack_.data[(plane + query) * width + key] = 0;
    }
}

sdk::Reply AttentionRollout::finish() { return sdk::Done{{stack_}}; }

} // namespace vitrine::analysis
