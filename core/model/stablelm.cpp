// StableLM: Llama's shape with LayerNorm, a quarter of each head rotated; some have parallel branches on one
// norm and LayerNorm on each query and key head.
#include <fmt/format.h>

#include "core/model/family.h"
#include "core/model/llama.h"

namespace vitrine::model {

namespace {

Result<ModelSpec> spec_of(const Config& config) {
    VITRINE_ASSIGN(ModelSpec spec, llama_like(config, {.family = "stablelm",
                                                       .norm = NormKind::layer,
                                                       .eps_key = "layer_norm_eps",
                                                       .eps = 1e-5,
                                                       .rope = {.share = 0.25}}));
    VITRINE_ASSIGN(spec.parallel, config.flag_or("use_parallel_residual", false));
    spec.shared_norm = spec.parallel;
    VITRINE_ASSIGN(const bool qk_norm, config.flag_or("qk_layernorm", false));
    if (qk_norm) spec.qk_norm = QkNorm::per_head;
    spec.qk_norm_spec = spec.norm;
    return spec;
}

/// The file has a tensor for every head.
Status bind_head_norms(const BlockBinder& block, const char* ours, const char* theirs, int heads) {
    std::vector<std::string> tensors;
    for (int head = 0; head < heads; ++head)
        tensors.push_back(fmt::format("{}self_attn.{}.norms.{}.weight", block.theirs(), theirs, head));
    return block.binder().joined_vectors(block.ours() + ours, tensors, block.spec().d_head);
}

Status bind(const ModelSpec& spec, Binder& binder) {
    VITRINE_TRY(bind_ends(spec, binder));
    return bind_blocks(spec, binder, "layers.", [&](const BlockBinder& block) -> Status {
        VITRINE_TRY(block.norm("ln1", "input_layernorm"));
        VITRINE_TRY(block.attention("self_attn.", "o_proj"));
        if (spec.qk_norm != QkNorm::none) {
            VITRINE_TRY(bind_head_norms(block, "attn.q_norm.w", "q_layernorm", spec.heads));
            VITRINE_TRY(bind_head_norms(block, "attn.k_norm.w", "k_layernorm", spec.kv_heads));
        }
        if (!spec.shared_norm) VITRINE_TRY(block.norm("ln2", "post_attention_layernorm"));
        return block.gated_mlp();
    });
}

} // namespace

Family stablelm_family() { return {"stablelm", spec_of, bind, {"model.", ""}}; }

} // namespace vitrine::model
