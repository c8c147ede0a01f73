// OLMo: Llama's shape with LayerNorm without weights, and queries, keys and values that may be clipped.
#include "core/model/family.h"
#include "core/model/llama.h"

namespace vitrine::model {

namespace {

Result<ModelSpec> spec_of(const Config& config) {
    VITRINE_ASSIGN(ModelSpec spec, llama_like(config, {.family = "olmo"}));
    spec.norm = {NormKind::layer, 1e-5F}; // the config has no say
    if (config.has("clip_qkv")) {
        VITRINE_ASSIGN(const double clip, config.positive_or("clip_qkv", 0));
        spec.qkv_clip = static_cast<float>(clip);
    }
    return spec;
}

Status bind(const ModelSpec& spec, Binder& binder) {
    VITRINE_TRY(bind_ends(spec, binder, {.norm = ""}));
    return bind_blocks(spec, binder, "layers.", [](const BlockBinder& block) -> Status {
        VITRINE_TRY(block.attention("self_attn.", "o_proj"));
        return block.gated_mlp();
    });
}

} // namespace

Family olmo_family() { return {"olmo", spec_of, bind, {"model.", ""}}; }

} // namespace vitrine::model
