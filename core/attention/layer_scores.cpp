#include "core/attention/layer_scores.h"

#include <algorithm>
#include <charconv>
#include <cstdlib>
#include <cstring>

#include <fmt/format.h>

#include "core/run/alibi.h"

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

} // namespace

ScoreHooks score_hooks(const model::ModelSpec& spec, int layer) {
    const std::string attn = fmt::format("blocks.{}.attn.", layer);
    if (spec.rotary_index(layer) >= 0) return {attn + "hook_rot_q", attn + "hook_rot_k"};
    if (spec.qk_norm != model::QkNorm::none) return {attn + "hook_q_normed", attn + "hook_k_normed"};
    return {attn + "hook_q", attn + "hook_k"};
}

Result<LayerScores> take_layer_scores(const model::ModelSpec& spec, int layer, run::RowResult& row) {
    const ScoreHooks hooks = score_hooks(spec, layer);
    // hook_q and hook_k stand before the clip; norm and rotation come after it.
    const bool clipped = spec.rotary_index(layer) >= 0 || spec.qk_norm != model::QkNorm::none;
    const float clip = clipped ? 0.0F : spec.qkv_clip;
    LayerScores out;
    VITRINE_ASSIGN(out.q, taken(row, hooks.q, clip));
    VITRINE_ASSIGN(out.k, taken(row, hooks.k, clip));
    out.tokens = static_cast<int>(out.q->shape.front());
    out.spec.heads = spec.heads;
    out.spec.kv_heads = spec.kv_heads;
    out.spec.d_head = spec.d_head;
    out.spec.scale = spec.attention_scale_of(layer);
    out.spec.window = spec.window_of(layer);
    out.spec.cap = spec.score_cap;
    if (spec.positional == model::Positional::alibi) {
        out.spec.key_bias = 0;
        out.key_bias = run::alibi_table(spec, out.tokens);
    }
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
