// GPT-2: learned positions, LayerNorm before each branch, fused QKV stored [in, out], tied unembedding.
#include "core/model/block_binder.h"
#include "core/model/config.h"
#include "core/model/family.h"

namespace vitrine::model {

namespace {

Result<ModelSpec> spec_of(const Config& config) {
    VITRINE_TRY(config.only("add_cross_attention", false));
    VITRINE_ASSIGN(ModelSpec spec, sizes_of(config, "gpt2", true, 4));
    VITRINE_ASSIGN(const double eps, config.positive_or("layer_norm_epsilon", 1e-5));
    VITRINE_ASSIGN(spec.activation, activation_of(config, "activation_function", "gelu_new"));
    VITRINE_ASSIGN(const bool scaled, config.flag_or("scale_attn_weights", true));
    VITRINE_ASSIGN(const bool by_layer, config.flag_or("scale_attn_by_inverse_layer_idx", false));
    spec.norm = {NormKind::layer, static_cast<float>(eps)};
    spec.positional = Positional::learned;
    if (!scaled) spec.attention_scale = 1.0F;
    for (int layer = 0; by_layer && layer < spec.layers; ++layer)
        spec.layer_attention_scale.push_back(spec.attention_scale / static_cast<float>(layer + 1));
    return spec;
}

Status bind(const ModelSpec& spec, Binder& binder) {
    VITRINE_TRY(bind_ends(spec, binder, {.embedding = "wte", .positions = "wpe", .norm = "ln_f"}));
    return bind_blocks(spec, binder, "h.", [](const BlockBinder& block) -> Status {
        VITRINE_TRY(block.norm("ln1", "ln_1"));
        VITRINE_TRY(block.fused_qkv("attn.c_attn", Fused::in_turn, Stored::in_out));
        VITRINE_TRY(block.linear(Part::O, "attn.c_proj", Stored::in_out));
        VITRINE_TRY(block.norm("ln2", "ln_2"));
        VITRINE_TRY(block.linear(Part::in, "mlp.c_fc", Stored::in_out));
        return block.linear(Part::out, "mlp.c_proj", Stored::in_out);
    });
}

} // namespace

Family gpt2_family() { return {"gpt2", spec_of, bind, {"transformer.", ""}}; }

} // namespace vitrine::model
