// GPT-NeoX (Pythia): a quarter of each head rotated, QKV fused head by head; the branches run in parallel,
// each on its own LayerNorm, unless the config says one after the other.
#include "core/model/block_binder.h"
#include "core/model/family.h"
#include "core/model/rope.h"

namespace vitrine::model {

namespace {

Result<ModelSpec> spec_of(const Config& config) {
    VITRINE_ASSIGN(ModelSpec spec, sizes_of(config, "gpt_neox", false));
    VITRINE_ASSIGN(const double eps, config.positive_or("layer_norm_eps", 1e-5));
    VITRINE_ASSIGN(spec.activation, activation_of(config, "hidden_act", "gelu"));
    VITRINE_ASSIGN(spec.parallel, config.flag_or("use_parallel_residual", true));
    spec.norm = {NormKind::layer, static_cast<float>(eps)};
    VITRINE_TRY(
        rotate_all(spec, config, {.share = 0.25, .theta_key = "rotary_emb_base", .share_key = "rotary_pct"}));
    return spec;
}

Status bind(const ModelSpec& spec, Binder& binder) {
    const char* unembedding = binder.has("lm_head.weight") ? "lm_head" : "embed_out";
    VITRINE_TRY(bind_ends(spec, binder,
                          {.embedding = "embed_in", .norm = "final_layer_norm", .unembedding = unembedding}));
    return bind_blocks(spec, binder, "layers.", [](const BlockBinder& block) -> Status {
        VITRINE_TRY(block.norm("ln1", "input_layernorm"));
        VITRINE_TRY(block.fused_qkv("attention.query_key_value", Fused::by_group));
        VITRINE_TRY(block.linear(Part::O, "attention.dense"));
        VITRINE_TRY(block.norm("ln2", "post_attention_layernorm"));
        VITRINE_TRY(block.linear(Part::in, "mlp.dense_h_to_4h"));
        return block.linear(Part::out, "mlp.dense_4h_to_h");
    });
}

} // namespace

Family gpt_neox_family() { return {"gpt_neox", spec_of, bind, {"gpt_neox.", ""}}; }

} // namespace vitrine::model
