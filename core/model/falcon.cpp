// Falcon in its three kinds: multi-query with parallel branches on one norm (7B), the new decoder with
// grouped keys and a norm for each branch or one for both (40B, 180B, 11B), and ALiBi with one branch after
// the other (RW).
#include "core/model/alibi.h"
#include "core/model/block_binder.h"
#include "core/model/family.h"
#include "core/model/rope.h"

namespace vitrine::model {

namespace {

Result<ModelSpec> spec_of(const Config& config) {
    VITRINE_ASSIGN(ModelSpec spec, sizes_of(config, "falcon", true, 4));
    VITRINE_ASSIGN(const double eps, config.positive_or("layer_norm_epsilon", 1e-5));
    VITRINE_ASSIGN(spec.activation, activation_of(config, "activation", "gelu"));
    VITRINE_ASSIGN(const bool newer, config.flag_or("new_decoder_architecture", false));
    VITRINE_ASSIGN(const bool multi_query, config.flag_or("multi_query", true));
    VITRINE_ASSIGN(const bool alibi, config.flag_or("alibi", false));
    VITRINE_ASSIGN(spec.parallel, config.flag_or("parallel_attn", true));
    VITRINE_ASSIGN(const int norms, config.count_or("num_ln_in_parallel_attn", newer ? 2 : 1));
    if (newer) {
        // What transformers computes otherwise is an error there, too.
        VITRINE_TRY(config.only("parallel_attn", true));
        const char* key = config.has("n_head_kv") ? "n_head_kv" : "num_kv_heads";
        VITRINE_ASSIGN(spec.kv_heads, config.count_or(key, spec.heads));
        VITRINE_TRY(check_key_heads(config, spec));
    } else {
        VITRINE_TRY(config.only("num_ln_in_parallel_attn", 1));
        spec.kv_heads = multi_query ? 1 : spec.heads;
    }
    spec.shared_norm = spec.parallel && norms == 1;
    spec.norm = {NormKind::layer, static_cast<float>(eps)};
    if (!alibi) {
        VITRINE_TRY(rotate_all(spec, config));
        return spec;
    }
    spec.positional = Positional::alibi;
    spec.alibi = AlibiKind::falcon;
    spec.alibi_slopes = alibi_slopes(spec.heads);
    return spec;
}

Status bind(const ModelSpec& spec, Binder& binder) {
    VITRINE_TRY(bind_ends(spec, binder, {.embedding = "word_embeddings", .norm = "ln_f"}));
    const bool two = spec.parallel && !spec.shared_norm;
    return bind_blocks(spec, binder, "h.", [&](const BlockBinder& block) -> Status {
        VITRINE_TRY(block.norm("ln1", two ? "ln_attn" : "input_layernorm"));
        // One key head: the group is everything.
        VITRINE_TRY(block.fused_qkv("self_attention.query_key_value", Fused::by_group));
        VITRINE_TRY(block.linear(Part::O, "self_attention.dense"));
        if (!spec.shared_norm) VITRINE_TRY(block.norm("ln2", two ? "ln_mlp" : "post_attention_layernorm"));
        VITRINE_TRY(block.linear(Part::in, "mlp.dense_h_to_4h"));
        return block.linear(Part::out, "mlp.dense_4h_to_h");
    });
}

} // namespace

Family falcon_family() { return {"falcon", spec_of, bind, {"transformer.", ""}}; }

} // namespace vitrine::model
