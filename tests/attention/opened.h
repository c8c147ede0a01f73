#pragma once
// Runs whose queries, keys and patterns are captured, and heads opened from them.
#include <cmath>
#include <cstring>

#include <fmt/format.h>

#include "core/attention/head_store.h"
#include "tests/run/loaded.h"

namespace vitrine::test {

inline const std::string families = fixture("families");
constexpr int most_tokens = 150; // several blocks of queries at every vector width, the last not full

/// `most_tokens` tokens where positions have no table, else as many as the fixture has room for.
inline run::RunResult run_of(const Loaded& model, std::uint32_t state = 7,
                             const std::vector<std::string>& also = {},
                             const run::AttentionPolicy& policy = {}) {
    model::ModelSpec& facts = model.model->spec;
    if (facts.positional != model::Positional::learned) facts.context = std::max(facts.context, most_tokens);
    const int length = std::min(most_tokens, facts.context);
    run::RunSpec spec;
    run::RunRow row;
    for (int i = 0; i < length; ++i) {
        state = state * 1664525U + 1013904223U;
        row.ids.push_back(
            static_cast<std::int32_t>((state >> 8) % static_cast<std::uint32_t>(model.model->spec.vocab)));
    }
    spec.rows = {row};
    spec.captures = also;
    spec.attention = policy;
    for (int layer = 0; layer < model.model->spec.layers; ++layer) {
        const attention::ScoreHooks hooks = attention::score_hooks(model.model->spec, layer, policy);
        spec.captures.insert(spec.captures.end(),
                             {hooks.q, hooks.k, fmt::format("blocks.{}.attn.hook_pattern", layer)});
    }
    return model.run(spec);
}

/// hook_pattern or hook_attn_scores of one head, [query][key], as captured.
struct CapturedHead {
    const float* data;
    int size;
    float at(int query, int key) const { return data[std::ptrdiff_t{query} * size + key]; }
};

inline CapturedHead captured(const run::RowResult& row, int layer, const std::string& what, int head) {
    const Tensor& all = row.find(fmt::format("blocks.{}.attn.hook_{}", layer, what))->tensor;
    const auto size = static_cast<int>(all.shape.back());
    return {all.data.data() + std::ptrdiff_t{head} * size * size, size};
}

inline bool same_bits(float a, float b) { return std::memcmp(&a, &b, sizeof(float)) == 0; }

inline bool near(double a, double b, double band) {
    return (std::isnan(a) && std::isnan(b)) || std::abs(a - b) <= band * std::max(1.0, std::abs(b));
}

inline std::shared_ptr<const attention::OpenHead> opened(const attention::LayerScores& scores, int head,
                                                         const attention::OpenOptions& options) {
    ThreadPool pool(2);
    auto open = attention::OpenHead::open(scores, head, options, pool, {});
    if (!open) qFatal("%s", open.error().message.c_str());
    return *open;
}

} // namespace vitrine::test
