// OLMo 2: RMSNorm only on what attention and MLP put out, and over the whole query and key vectors.
#include "core/model/family.h"
#include "core/model/llama.h"

namespace vitrine::model {

namespace {

Result<ModelSpec> spec_of(const Config& config) {
    VITRINE_ASSIGN(ModelSpec spec, llama_like(config, {.family = "olmo2", .eps = 1e-5}));
    spec.norm_place = NormPlace::branch_output;
    spec.qk_norm = QkNorm::whole;
    spec.qk_norm_spec = spec.norm;
    return spec;
}

Status bind(const ModelSpec& spec, Binder& binder) {
    VITRINE_TRY(bind_ends(spec, binder));
    return bind_blocks(spec, binder, "layers.", [](const BlockBinder& block) -> Status {
        VITRINE_TRY(block.attention("self_attn.", "o_proj"));
        VITRINE_TRY(block.qk_norm("self_attn.q_norm", "self_attn.k_norm"));
        VITRINE_TRY(block.norm("ln1_post", "post_attention_layernorm"));
        VITRINE_TRY(block.gated_mlp());
        return block.norm("ln2_post", "post_feedforward_layernorm");
    });
}

} // namespace

Family olmo2_family() { return {"olmo2", spec_of, bind, {"model.", ""}}; }

} // namespace vitrine::model
