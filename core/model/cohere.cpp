// Cohere (Command R): parallel branches on one LayerNorm without bias, interleaved rotation, scaled logits.
#include "core/model/family.h"
#include "core/model/llama.h"

namespace vitrine::model {

namespace {

Result<ModelSpec> spec_of(const Config& config) {
    VITRINE_ASSIGN(ModelSpec spec, llama_like(config, {.family = "cohere",
                                                       .tied = true,
                                                       .norm = NormKind::layer,
                                                       .eps_key = "layer_norm_eps",
                                                       .eps = 1e-5,
                                                       .rope = {.theta = 500000.0}}));
    VITRINE_ASSIGN(const double logit_scale, config.number_or("logit_scale", 0.0625));
    VITRINE_ASSIGN(const bool qk_norm, config.flag_or("use_qk_norm", false));
    spec.logit_scale = static_cast<float>(logit_scale);
    spec.parallel = spec.shared_norm = true;
    spec.rotaries[0].interleaved = true;
    if (qk_norm) spec.qk_norm = QkNorm::per_head;
    spec.qk_norm_spec = spec.norm;
    return spec;
}

Status bind(const ModelSpec& spec, Binder& binder) {
    VITRINE_TRY(bind_ends(spec, binder));
    return bind_blocks(spec, binder, "layers.", [&](const BlockBinder& block) -> Status {
        VITRINE_TRY(block.norm("ln1", "input_layernorm"));
        VITRINE_TRY(block.attention("self_attn.", "o_proj"));
        if (spec.qk_norm != QkNorm::none) VITRINE_TRY(block.qk_norm("self_attn.q_norm", "self_attn.k_norm"));
        return block.gated_mlp();
    });
}

} // namespace

Family cohere_family() { return {"cohere", spec_of, bind, {"model.", ""}}; }

} // namespace vitrine::model
