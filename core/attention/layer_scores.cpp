#include "core/attention/layer_scores.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdlib>
#include <cstring>

#include <fmt/format.h>

#include "core/run/alibi.h"
#include "core/run/attention_policy.h"
#include "core/run/rotary.h"

namespace vitrine::attention {

namespace {

Result<SharedTensor> taken(run::RowResult& row, const std::string& hook, float clip) {
    const auto found = std::find_if(row.captures.begin(), row.captures.end(),
                                    [&](const run::Captured& captured) { return captured.hook == hook; });
    if (found == row.captures.end())
        return fail(Code::not_found,
                    fmt::format("The run was made without {}: run it again to see its attention.", hook));
    Tensor tensor = std::move(found->tensor);
    row.captures.erase(found);
    if (clip > 0)
        for (float& value : tensor.data)
            value = std::clamp(value, -clip, clip);
    return std::make_shared<const Tensor>(std::move(tensor));
}

std::shared_ptr<const QueryRotation> rotation_of(const model::RotarySpec& rotary, int tokens,
                                                 const run::AttentionPolicy& policy) {
    run::Batch batch;
    batch.tokens.assign(static_cast<std::size_t>(tokens), 0);
    batch.row_start = {0, tokens};
    batch.past = {0};
    run::RotaryTables tables = run::rotary_tables(rotary, batch);
    auto out = std::make_shared<QueryRotation>(QueryRotation{
        {run::absent, run::absent, rotary.dims, rotary.interleaved, run::absent, run::absent, tables.first},
        {},
        tables.cos,
        tables.sin});
    out->for_sinks = out->op;
    out->for_sinks.last = policy.sinks + policy.window - 1;
    return out;
}

} // namespace

ScoreHooks score_hooks(const model::ModelSpec& spec, int layer, const run::AttentionPolicy& policy) {
    const std::string attn = fmt::format("blocks.{}.attn.", layer);
    const bool normed = spec.qk_norm != model::QkNorm::none;
    const ScoreHooks unrotated = normed ? ScoreHooks{attn + "hook_q_normed", attn + "hook_k_normed"}
                                        : ScoreHooks{attn + "hook_q", attn + "hook_k"};
    if (spec.rotary_index(layer) < 0) return unrotated;
    const std::string q = run::rotates_for_sinks(spec, layer, policy) ? unrotated.q : attn + "hook_rot_q";
    return {q, attn + "hook_rot_k"};
}

Result<LayerScores> take_layer_scores(const model::ModelSpec& spec, int layer, run::RowResult& row,
                                      const run::AttentionPolicy& policy) {
    const ScoreHooks hooks = score_hooks(spec, layer, policy);
    // hook_q and hook_k stand before the clip; norm and rotation come after it.
    const auto clip_of = [&](const std::string& hook) {
        return hook.ends_with(".hook_q") || hook.ends_with(".hook_k") ? spec.qkv_clip : 0.0F;
    };
    LayerScores out;
    VITRINE_ASSIGN(out.q, taken(row, hooks.q, clip_of(hooks.q)));
    VITRINE_ASSIGN(out.k, taken(row, hooks.k, clip_of(hooks.k)));
    out.tokens = static_cast<int>(out.q->shape.front());
    out.spec.heads = spec.heads;
    out.spec.kv_heads = spec.kv_heads;
    out.spec.d_head = spec.d_head;
    out.spec.scale = spec.attention_scale_of(layer);
    out.spec.window = spec.window_of(layer);
    out.spec.cap = spec.score_cap;
    run::set_policy(policy, layer, out.spec);
    if (run::rotates_for_sinks(spec, layer, policy))
        out.rotation = rotation_of(spec.rotaries[static_cast<std::size_t>(spec.rotary_index(layer))],
                                   out.tokens, policy);
    if (spec.positional == model::Positional::alibi) {
        out.spec.key_bias = 0;
        out.key_bias = run::alibi_table(spec, out.tokens);
    }
    return out;
}

ValueNorms value_norms(const model::ModelSpec& spec, const Tensor& v, const Tensor& w_o, ThreadPool& pool) {
    ValueNorms out;
    out.tokens = static_cast<int>(v.shape.front());
    out.values.assign(static_cast<std::size_t>(spec.heads) * static_cast<std::size_t>(out.tokens), 0);
    constexpr int block = 256; // keys at a time
    const int blocks = (out.tokens + block - 1) / block;
    pool.parallel_for(static_cast<std::size_t>(blocks * spec.heads), [&](std::size_t job) {
        const int head = static_cast<int>(job) / blocks, first = static_cast<int>(job) % blocks * block;
        const int kv_head = head / (spec.heads / spec.kv_heads);
        const auto width = static_cast<std::size_t>(spec.d_model);
        std::vector<double> rows(static_cast<std::size_t>(spec.d_head) * width), moved(width);
        const float* from = w_o.data.data() + static_cast<std::size_t>(head * spec.d_head) * width;
        std::copy_n(from, rows.size(), rows.begin());
        for (int key = first; key < std::min(first + block, out.tokens); ++key) {
            const float* value = v.data.data() + (std::int64_t{key} * spec.kv_heads + kv_head) * spec.d_head;
            std::fill(moved.begin(), moved.end(), 0.0);
            for (int i = 0; i < spec.d_head; ++i) {
                const double factor = static_cast<double>(value[i]);
                const double* row = rows.data() + static_cast<std::size_t>(i) * width;
                for (std::size_t d = 0; d < width; ++d)
                    moved[d] += factor * row[d];
            }
            double squares = 0;
            for (const double x : moved)
                squares += x * x;
            out.values[static_cast<std::size_t>(head) * static_cast<std::size_t>(out.tokens) +
                       static_cast<std::size_t>(key)] = std::sqrt(squares);
        }
    });
    return out;
}

std::uint64_t pattern_bytes(const model::ModelSpec& spec, std::int64_t tokens) {
    return static_cast<std::uint64_t>(tokens) * static_cast<std::uint64_t>(tokens) *
           static_cast<std::uint64_t>(spec.layers) * static_cast<std::uint64_t>(spec.heads) * sizeof(float);
}

std::uint64_t score_bytes(const model::ModelSpec& spec, std::int64_t tokens) {
    return static_cast<std::uint64_t>(tokens) * static_cast<std::uint64_t>(spec.layers) *
           static_cast<std::uint64_t>(spec.heads + spec.kv_heads) * static_cast<std::uint64_t>(spec.d_head) *
           sizeof(float);
}

bool patterns_are_too_large(const model::ModelSpec& spec, std::int64_t tokens) {
    std::uint64_t most = 256;
    if (const char* set = std::getenv("VITRINE_PATTERN_MIB"))
        std::from_chars(set, set + std::strlen(set), most);
    return pattern_bytes(spec, tokens) > most << 20;
}

} // namespace vitrine::attention
