// Phi 1 to 2: parallel branches on one LayerNorm, half of each head rotated, biases everywhere, W_U's too.
#include "core/model/block_binder.h"
#include "core/model/family.h"
#include "core/model/rope.h"

namespace vitrine::model {

namespace {

Result<ModelSpec> spec_of(const Config& config) {
    VITRINE_ASSIGN(ModelSpec spec, sizes_of(config, "phi", false));
    VITRINE_ASSIGN(const double eps, config.positive_or("layer_norm_eps", 1e-5));
    VITRINE_ASSIGN(spec.activation, activation_of(config, "hidden_act", "gelu_new"));
    spec.norm = {NormKind::layer, static_cast<float>(eps)};
    spec.parallel = spec.shared_norm = true;
    VITRINE_ASSIGN(const bool qk_norm, config.flag_or("qk_layernorm", false));
    if (qk_norm) spec.qk_norm = QkNorm::head;
    spec.qk_norm_spec = spec.norm;
    VITRINE_TRY(rotate_all(spec, config, {.share = 0.5}));
    return spec;
}

Status bind(const ModelSpec& spec, Binder& binder) {
    VITRINE_TRY(bind_ends(spec, binder, {.norm = "final_layernorm"}));
    return bind_blocks(spec, binder, "layers.", [&](const BlockBinder& block) -> Status {
        VITRINE_TRY(block.norm("ln1", "input_layernorm"));
        VITRINE_TRY(block.attention("self_attn.", "dense"));
        if (spec.qk_norm != QkNorm::none)
            VITRINE_TRY(block.qk_norm("self_attn.q_layernorm", "self_attn.k_layernorm"));
        VITRINE_TRY(block.linear(Part::in, "mlp.fc1"));
        return block.linear(Part::out, "mlp.fc2");
    });
}

} // namespace

Family phi_family() { return {"phi", spec_of, bind, {"model.", ""}}; }

} // namespace vitrine::model
