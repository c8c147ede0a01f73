// Phi-3 and Phi-4-mini: Llama's shape with fused projections, a window everywhere, longrope.
#include "core/model/family.h"
#include "core/model/llama.h"

namespace vitrine::model {

namespace {

Result<ModelSpec> spec_of(const Config& config) {
    VITRINE_ASSIGN(ModelSpec spec,
                   llama_like(config, {.family = "phi3", .eps = 1e-5, .rope = {.original_context = 4096}}));
    VITRINE_ASSIGN(spec.window, same_window(config, spec));
    return spec;
}

Status bind(const ModelSpec& spec, Binder& binder) {
    VITRINE_TRY(bind_ends(spec, binder));
    return bind_blocks(spec, binder, "layers.", [](const BlockBinder& block) -> Status {
        VITRINE_TRY(block.norm("ln1", "input_layernorm"));
        VITRINE_TRY(block.fused_qkv("self_attn.qkv_proj", Fused::in_turn));
        VITRINE_TRY(block.linear(Part::O, "self_attn.o_proj"));
        VITRINE_TRY(block.norm("ln2", "post_attention_layernorm"));
        VITRINE_TRY(block.fused_gate("mlp.gate_up_proj"));
        return block.linear(Part::out, "mlp.down_proj");
    });
}

} // namespace

Family phi3_family() { return {"phi3", spec_of, bind, {"model.", ""}}; }

} // namespace vitrine::model
