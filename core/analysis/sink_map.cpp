#include "core/analysis/axes.h"
#include "core/analysis/sinks.h"

namespace vitrine::analysis {

double sink_alpha(sdk::View pattern, int key) {
    const auto length = static_cast<int>(pattern.size(0));
    double sum = 0;
    for (int query = key; query < length; ++query)
        sum += pattern(query, key);
    return sum / (length - key);
}

double uniform_alpha(const sdk::ModelFacts& model, int length, int key) {
    double sum = 0;
    for (int layer = 0; layer < model.layers; ++layer)
        for (int query = key; query < length; ++query) {
            const int visible = model.visible_keys(layer, query);
            if (query - key < visible) sum += 1.0 / visible;
        }
    return sum / (length - key) / model.layers;
}

sdk::Manifest SinkMap::manifest() {
    return sdk::Manifest("sink-map", "Map of attention sinks")
        .summary(
            "alpha_k = 1/(T−k) Σ_{i≥k} A[i,k] for every head and key: the mean attention that a key gets "
            "from the queries that may see it. Beside it the alpha of a uniform head; the last keys are "
            "seen by few queries, so their alpha says little.")
        .citation("Gu et al. 2024, When Attention Sink Emerges in Language Models")
        .result("alpha", "matrix", "[row ×] layer × head × key")
        .result("uniform", "series", "[row ×] key; alpha of a head that looks at all keys alike");
}

std::optional<sdk::Failure> SinkMap::begin(const sdk::Start& start) {
    alpha_ = per_row("alpha", "matrix", start.rows,
                     {{"layer", start.model.layers}, {"head", start.model.heads}}, {"key"});
    uniform_ = per_row("uniform", "series", start.rows, {}, {"key"});
    const auto width = uniform_.axes.back().size;
    for (std::size_t row = 0; row < start.rows.size(); ++row)
        for (int key = 0; key < start.rows[row].size(); ++key)
            uniform_.data[row * static_cast<std::size_t>(width) + static_cast<std::size_t>(key)] =
                uniform_alpha(start.model, start.rows[row].size(), key);
    return std::nullopt;
}

void SinkMap::visit(int row, int layer, sdk::View pattern, const Besides&) {
    const auto heads = pattern.size(0);
    const auto width = alpha_.axes.back().size;
    for (std::int64_t head = 0; head < heads; ++head) {
        const auto line = ((std::int64_t{row} * model().layers + layer) * heads + head) * width;
        for (int key = 0; key < pattern.size(2); ++key)
            alpha_.data[static_cast<std::size_t>(line + key)] = sink_alpha(pattern[head], key);
    }
}

sdk::Reply SinkMap::finish() { return sdk::Done{{alpha_, uniform_}}; }

} // namespace vitrine::analysis
