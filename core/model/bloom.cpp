// BLOOM: ALiBi, a norm on the embedding, QKV fused head by head, GELU in its tanh form.
#include "core/model/alibi.h"
#include "core/model/block_binder.h"
#include "core/model/config.h"
#include "core/model/family.h"

namespace vitrine::model {

namespace {

Result<ModelSpec> spec_of(const Config& config) {
    VITRINE_TRY(config.only("apply_residual_connection_post_layernorm", false));
    VITRINE_ASSIGN(ModelSpec spec, sizes_of(config, "bloom", true, 4));
    VITRINE_ASSIGN(const double eps, config.positive_or("layer_norm_epsilon", 1e-5));
    spec.norm = {NormKind::layer, static_cast<float>(eps)};
    spec.embed_norm = true;
    spec.activation = Activation::gelu_tanh;
    spec.positional = Positional::alibi;
    spec.alibi_slopes = alibi_slopes(spec.heads);
    return spec;
}

Status bind(const ModelSpec& spec, Binder& binder) {
    VITRINE_TRY(bind_ends(spec, binder, {.embedding = "word_embeddings", .norm = "ln_f"}));
    VITRINE_TRY(bind_norm(binder, "embed.ln", "word_embeddings_layernorm", spec.d_model));
    return bind_blocks(spec, binder, "h.", [](const BlockBinder& block) -> Status {
        VITRINE_TRY(block.norm("ln1", "input_layernorm"));
        VITRINE_TRY(block.fused_qkv("self_attention.query_key_value", Fused::by_group));
        VITRINE_TRY(block.linear(Part::O, "self_attention.dense"));
        VITRINE_TRY(block.norm("ln2", "post_attention_layernorm"));
        VITRINE_TRY(block.linear(Part::in, "mlp.dense_h_to_4h"));
        return block.linear(Part::out, "mlp.dense_4h_to_h");
    });
}

} // namespace

Family bloom_family() { return {"bloom", spec_of, bind, {"transformer.", ""}}; }

} // namespace vitrine::model
