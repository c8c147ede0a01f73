#include "core/run/attention_builder.h"

#include <algorithm>

#include <fmt/format.h>

#include "core/run/alibi.h"
#include "core/run/attention_policy.h"

namespace vitrine::run {

AttentionBuilder::AttentionBuilder(PlanWriter& plan) : plan_(plan), spec_(plan.spec()) { tables(); }

void AttentionBuilder::tables() {
    const Batch& batch = plan_.request().batch;
    if (spec_.positional == model::Positional::rotary) {
        for (const model::RotarySpec& rotary : spec_.rotaries) {
            RotaryTables made = rotary_tables(rotary, batch);
            Rotation rotation;
            rotation.cos = plan_.constant(std::move(made.cos));
            rotation.sin = plan_.constant(std::move(made.sin));
            rotation.first = std::move(made.first);
            rotations_.push_back(std::move(rotation));
        }
    }
    if (spec_.positional == model::Positional::alibi) {
        int keys = 1;
        for (int row = 0; row < batch.rows(); ++row)
            keys = std::max(keys, batch.keys(row));
        constexpr int step = 256; // as rotary tables: plans of like size share a shape
        key_bias_ = plan_.constant(alibi_table(spec_, (keys + step - 1) / step * step));
    }
}

Status AttentionBuilder::check_inputs(int layer) const {
    const std::string block = fmt::format("blocks.{}.", layer);
    bool split = false;
    for (const char* name : {"hook_attn_in", "hook_q_input", "hook_k_input", "hook_v_input"})
        split = split || plan_.edited(block + name);
    std::vector<const char*> shared{"attn.hook_in"};
    if (spec_.norms_before()) shared = {"ln1.hook_scale", "ln1.hook_normalized", "ln1.hook_out"};
    for (const char* name : shared)
        if (split && plan_.edited(block + name))
            return fail(
                Code::unsupported,
                fmt::format("{0}{1} and a per-head input of block {2} cannot be edited in one run: with "
                            "split inputs each head has an input of its own; edit one of them.",
                            block, name, layer));
    return {};
}

/// One of q, k, v as projected. `input` is its per-head input hook.
ValueId AttentionBuilder::project(int layer, const char* letter, const char* input, ValueId residual,
                                  ValueId normed, int heads) {
    const std::string block = fmt::format("blocks.{}.", layer);
    const std::string w = fmt::format("{}attn.W_{}", block, letter);
    const std::string b = fmt::format("{}attn.b_{}", block, letter);
    const std::string attn_in = block + "hook_attn_in";
    const std::string own = block + input;
    const bool first = letter[0] == 'Q';
    const bool split = plan_.edited(own) || plan_.edited(attn_in);
    ValueId per_head = absent;
    if (split || plan_.captured(own) || (first && plan_.captured(attn_in))) {
        per_head = plan_.repeat(residual, heads);
        plan_.edit(attn_in, per_head);
        if (first) plan_.capture(attn_in, per_head);
        plan_.hook(own, per_head);
    }
    if (!split) return plan_.linear(w, b, normed, heads, spec_.d_head);
    if (spec_.norms_before()) per_head = plan_.norm(block + "ln1.", per_head, heads, false);
    const ValueId out = plan_.value(heads, spec_.d_head);
    plan_.emit(HeadLinear{plan_.weight(w), plan_.weight(b), per_head, out});
    return out;
}

/// From hook_q or hook_k to what is rotated: clipped and normed.
ValueId AttentionBuilder::unrotated(int layer, char letter, ValueId in, int heads) {
    const std::string attn = fmt::format("blocks.{}.attn.", layer);
    if (spec_.qkv_clip > 0) in = plan_.pointwise(PointwiseKind::clamp, spec_.qkv_clip, in);
    if (spec_.qk_norm == model::QkNorm::none) return in;
    const std::string norm = fmt::format("{}{}_norm.", attn, letter);
    Norm op{spec_.qk_norm_spec, plan_.weight(norm + "w"), plan_.weight(norm + "b"), in,
            plan_.value(heads, spec_.d_head)};
    op.flat = spec_.qk_norm == model::QkNorm::whole;
    plan_.emit(op);
    return plan_.hook(fmt::format("{}hook_{}_normed", attn, letter), op.out);
}

/// What the scores are made of.
ValueId AttentionBuilder::rotated(int layer, char letter, ValueId in, int heads) {
    const int index = spec_.rotary_index(layer);
    if (index < 0) return in;
    const model::RotarySpec& rotary = spec_.rotaries[static_cast<std::size_t>(index)];
    const Rotation& rotation = rotations_[static_cast<std::size_t>(index)];
    const ValueId out = plan_.value(heads, spec_.d_head);
    plan_.emit(Rotate{rotation.cos, rotation.sin, rotary.dims, rotary.interleaved, in, out, rotation.first});
    return plan_.hook(fmt::format("blocks.{}.attn.hook_rot_{}", layer, letter), out);
}

/// The query as a sink meets it in a cache that counts positions inside itself: rotation depends on distances
/// only, and there the distance never exceeds that of the cache's last place.
ValueId AttentionBuilder::rotated_for_sinks(int layer, ValueId q) {
    const AttentionPolicy& policy = plan_.request().attention;
    if (!rotates_for_sinks(spec_, layer, policy)) return absent;
    const auto index = static_cast<std::size_t>(spec_.rotary_index(layer));
    const model::RotarySpec& rotary = spec_.rotaries[index];
    const Rotation& rotation = rotations_[index];
    Rotate op{rotation.cos,
              rotation.sin,
              rotary.dims,
              rotary.interleaved,
              q,
              plan_.value(spec_.heads, spec_.d_head),
              rotation.first};
    op.last = policy.sinks + policy.window - 1;
    plan_.emit(op);
    return op.out;
}

AttentionSpec AttentionBuilder::attention_spec(int layer) const {
    AttentionSpec out{spec_.heads,
                      spec_.kv_heads,
                      spec_.d_head,
                      spec_.attention_scale_of(layer),
                      spec_.window_of(layer),
                      plan_.request().cached ? layer : absent,
                      spec_.score_cap,
                      key_bias_};
    set_policy(plan_.request().attention, layer, out);
    return out;
}

ValueId AttentionBuilder::mix(int layer, ValueId q, ValueId q_sinks, ValueId k, ValueId v) {
    const std::string scores_name = fmt::format("blocks.{}.attn.hook_attn_scores", layer);
    const std::string pattern_name = fmt::format("blocks.{}.attn.hook_pattern", layer);
    const AttentionSpec attention = attention_spec(layer);
    const ValueId z = plan_.value(spec_.heads, spec_.d_head);
    if (plan_.edited(scores_name) || plan_.edited(pattern_name)) {
        const ValueId scores = plan_.pairs();
        const ValueId pattern = plan_.pairs();
        plan_.emit(AttentionScores{attention, q, k, scores, q_sinks});
        plan_.hook(scores_name, scores);
        ValueId sigmoid = absent;
        if (plan_.replaced(pattern_name)) {
            sigmoid = plan_.pairs();
            plan_.emit(SigmoidPattern{scores, sigmoid});
        }
        plan_.emit(AttentionPattern{scores, pattern});
        plan_.hook(pattern_name, pattern, sigmoid);
        plan_.emit(AttentionMix{attention, pattern, v, z});
        return z;
    }
    Attention op{attention, q, k, v, z};
    op.q_sinks = q_sinks;
    if (plan_.captured(scores_name)) op.scores = plan_.pairs();
    if (plan_.captured(pattern_name)) op.pattern = plan_.pairs();
    plan_.emit(op);
    if (op.scores != absent) plan_.capture(scores_name, op.scores);
    if (op.pattern != absent) plan_.capture(pattern_name, op.pattern);
    return z;
}

ValueId AttentionBuilder::sum_of_heads(int layer, ValueId z) {
    const std::string attn = fmt::format("blocks.{}.attn.", layer);
    const std::string result_name = attn + "hook_result";
    if (plan_.wanted(result_name)) {
        const ValueId result = plan_.value(spec_.heads, spec_.d_model);
        plan_.emit(HeadResult{plan_.weight(attn + "W_O"), z, result});
        plan_.hook(result_name, result);
        if (plan_.edited(result_name)) {
            const ValueId out = plan_.value(1, spec_.d_model);
            plan_.emit(SumHeads{plan_.weight(attn + "b_O"), result, out});
            return out;
        }
    }
    return plan_.linear(attn + "W_O", attn + "b_O", z, 1, spec_.d_model);
}

Result<ValueId> AttentionBuilder::write(int layer, ValueId residual, ValueId input) {
    VITRINE_TRY(check_inputs(layer));
    const std::string attn = fmt::format("blocks.{}.attn.", layer);
    ValueId q =
        plan_.hook(attn + "hook_q", project(layer, "Q", "hook_q_input", residual, input, spec_.heads));
    ValueId k =
        plan_.hook(attn + "hook_k", project(layer, "K", "hook_k_input", residual, input, spec_.kv_heads));
    ValueId v =
        plan_.hook(attn + "hook_v", project(layer, "V", "hook_v_input", residual, input, spec_.kv_heads));
    q = unrotated(layer, 'q', q, spec_.heads);
    k = unrotated(layer, 'k', k, spec_.kv_heads);
    const ValueId q_sinks = rotated_for_sinks(layer, q);
    if (q_sinks != absent && plan_.edited(attn + "hook_rot_q"))
        return fail(Code::unsupported,
                    fmt::format("{}hook_rot_q cannot be edited while positions are counted inside a cache: a "
                                "query is rotated twice there; edit hook_q, or leave reindexed out.",
                                attn));
    q = rotated(layer, 'q', q, spec_.heads);
    k = rotated(layer, 'k', k, spec_.kv_heads);
    if (spec_.qkv_clip > 0) v = plan_.pointwise(PointwiseKind::clamp, spec_.qkv_clip, v);
    if (plan_.request().cached) plan_.emit(CacheAppend{layer, k, v});
    return sum_of_heads(layer, plan_.hook(attn + "hook_z", mix(layer, q, q_sinks, k, v)));
}

} // namespace vitrine::run
