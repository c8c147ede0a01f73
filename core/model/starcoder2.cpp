// StarCoder 2: rotary positions and grouped keys, with LayerNorm, biases and a plain MLP; a window
// everywhere.
#include "core/model/block_binder.h"
#include "core/model/family.h"
#include "core/model/rope.h"

namespace vitrine::model {

namespace {

Result<ModelSpec> spec_of(const Config& config) {
    VITRINE_ASSIGN(ModelSpec spec, sizes_of(config, "starcoder2", true));
    VITRINE_ASSIGN(const double eps, config.positive_or("norm_epsilon", 1e-5));
    VITRINE_ASSIGN(spec.activation, activation_of(config, "hidden_act", "gelu_pytorch_tanh"));
    spec.norm = {NormKind::layer, static_cast<float>(eps)};
    VITRINE_TRY(config.only("norm_type", "layer_norm"));
    VITRINE_TRY(config.only("mlp_type", "default"));
    VITRINE_TRY(rotate_all(spec, config));
    VITRINE_ASSIGN(spec.window, same_window(config, spec));
    return spec;
}

Status bind(const ModelSpec& spec, Binder& binder) {
    VITRINE_TRY(bind_ends(spec, binder));
    return bind_blocks(spec, binder, "layers.", [](const BlockBinder& block) -> Status {
        VITRINE_TRY(block.norm("ln1", "input_layernorm"));
        VITRINE_TRY(block.attention("self_attn.", "o_proj"));
        VITRINE_TRY(block.norm("ln2", "post_attention_layernorm"));
        VITRINE_TRY(block.linear(Part::in, "mlp.c_fc"));
        return block.linear(Part::out, "mlp.c_proj");
    });
}

} // namespace

Family starcoder2_family() { return {"starcoder2", spec_of, bind, {"model.", ""}}; }

} // namespace vitrine::model
