// MPT: ALiBi, LayerNorm without bias, fused QKV that may be clipped.
#include <fmt/format.h>

#include "core/model/alibi.h"
#include "core/model/block_binder.h"
#include "core/model/config.h"
#include "core/model/family.h"

namespace vitrine::model {

namespace {

/// transformers ignores these members of an MPT config; so that nothing is, others than what it computes are
/// refused here.
Status check_options(const Config& config, const Config& attention) {
    VITRINE_TRY(config.only("expansion_ratio", 4));
    VITRINE_TRY(config.only("logit_scale", nullptr));
    VITRINE_TRY(config.only("no_bias", true));
    if (config.json().value("norm_type", Json("low_precision_layernorm")) != "layernorm")
        VITRINE_TRY(config.only("norm_type", "low_precision_layernorm"));
    VITRINE_TRY(attention.only("attn_type", "multihead_attention"));
    VITRINE_TRY(attention.only("alibi", true));
    VITRINE_TRY(attention.only("alibi_bias_max", 8));
    VITRINE_TRY(attention.only("qk_ln", false));
    VITRINE_TRY(attention.only("rope", false));
    VITRINE_TRY(attention.only("prefix_lm", false));
    return attention.only("attn_uses_sequence_id", false);
}

Result<ModelSpec> spec_of(const Config& config) {
    static const Json none = Json::object();
    if (config.has("attn_config") && !config.json()["attn_config"].is_object())
        return fail(Code::malformed, fmt::format("{}: \"attn_config\" must be an object.", config.path()));
    const Config attention(config.has("attn_config") ? config.json()["attn_config"] : none, config.path());
    VITRINE_TRY(check_options(config, attention));
    VITRINE_ASSIGN(ModelSpec spec, sizes_of(config, "mpt", true, 4));
    VITRINE_ASSIGN(const double eps, config.positive_or("layer_norm_epsilon", 1e-5));
    spec.norm = {NormKind::layer, static_cast<float>(eps)};
    spec.activation = Activation::gelu;
    spec.positional = Positional::alibi;
    spec.alibi_slopes = alibi_slopes(spec.heads);
    if (attention.has("softmax_scale")) {
        VITRINE_ASSIGN(const double scale, attention.positive_or("softmax_scale", 1));
        spec.attention_scale = static_cast<float>(scale);
    }
    if (attention.has("clip_qkv")) {
        VITRINE_ASSIGN(const double clip, attention.number_or("clip_qkv", 0));
        spec.qkv_clip = static_cast<float>(clip);
    }
    return spec;
}

Status bind(const ModelSpec& spec, Binder& binder) {
    VITRINE_TRY(bind_ends(spec, binder, {.embedding = "wte", .norm = "norm_f"}));
    return bind_blocks(spec, binder, "blocks.", [](const BlockBinder& block) -> Status {
        VITRINE_TRY(block.norm("ln1", "norm_1"));
        VITRINE_TRY(block.fused_qkv("attn.Wqkv", Fused::in_turn));
        VITRINE_TRY(block.linear(Part::O, "attn.out_proj"));
        VITRINE_TRY(block.norm("ln2", "norm_2"));
        VITRINE_TRY(block.linear(Part::in, "ffn.up_proj"));
        return block.linear(Part::out, "ffn.down_proj");
    });
}

} // namespace

Family mpt_family() { return {"mpt", spec_of, bind, {"transformer.", ""}}; }

} // namespace vitrine::model
