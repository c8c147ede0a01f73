// Gemma 1, and what Gemma 2 and 3 take from it.
#include "core/model/gemma.h"

#include <cmath>

#include "core/model/family.h"

namespace vitrine::model {

Result<ModelSpec> gemma_like(const Config& config, const char* family, const char* activation_key,
                             const RopeDefaults& rope) {
    VITRINE_TRY(config.only("use_bidirectional_attention", false));
    VITRINE_ASSIGN(ModelSpec spec, sizes_of(config, family, true));
    VITRINE_ASSIGN(const double eps, config.positive_or("rms_norm_eps", 1e-6));
    VITRINE_ASSIGN(spec.activation, activation_of(config, activation_key, "gelu_pytorch_tanh"));
    if (spec.activation == Activation::gelu) spec.activation = Activation::gelu_tanh;
    spec.norm = {NormKind::rms, static_cast<float>(eps)};
    spec.gated = true;
    spec.embedding_scale = std::sqrt(static_cast<float>(spec.d_model));
    VITRINE_TRY(rotate_all(spec, config, rope));
    return spec;
}

namespace {

/// A soft-cap: null is none, absent is the usual one.
Result<float> cap_of(const Config& config, const char* key, double usual) {
    if (config.json().contains(key) && !config.has(key)) return 0.0F;
    if (!config.has(key)) return static_cast<float>(usual);
    VITRINE_ASSIGN(const double cap, config.positive_or(key, usual));
    return static_cast<float>(cap);
}

} // namespace

Status gemma_attention(ModelSpec& spec, const Config& config, double score_cap, double logit_cap) {
    VITRINE_ASSIGN(const double scalar, config.positive_or("query_pre_attn_scalar", 256));
    spec.attention_scale = static_cast<float>(1.0 / std::sqrt(scalar));
    VITRINE_ASSIGN(spec.logit_cap, cap_of(config, "final_logit_softcapping", logit_cap));
    if (score_cap > 0) {
        VITRINE_ASSIGN(spec.score_cap, cap_of(config, "attn_logit_softcapping", score_cap));
    }
    spec.norm_place = NormPlace::sandwich;
    return {};
}

Status bind_gemma_sandwich(const ModelSpec& spec, Binder& binder) {
    Ends ends;
    ends.norm_tensors = gemma_norm;
    VITRINE_TRY(bind_ends(spec, binder, ends));
    return bind_blocks(spec, binder, "layers.", [&](const BlockBinder& block) -> Status {
        VITRINE_TRY(block.norm("ln1", "input_layernorm", gemma_norm));
        VITRINE_TRY(block.attention("self_attn.", "o_proj"));
        if (spec.qk_norm != QkNorm::none)
            VITRINE_TRY(block.qk_norm("self_attn.q_norm", "self_attn.k_norm", gemma_norm));
        VITRINE_TRY(block.norm("ln1_post", "post_attention_layernorm", gemma_norm));
        VITRINE_TRY(block.norm("ln2", "pre_feedforward_layernorm", gemma_norm));
        VITRINE_TRY(block.gated_mlp());
        return block.norm("ln2_post", "post_feedforward_layernorm", gemma_norm);
    });
}

namespace {

Result<ModelSpec> spec_of(const Config& config) {
    // The first files call it hidden_act and mean hidden_activation, which later ones have.
    return gemma_like(config, "gemma", config.has("hidden_activation") ? "hidden_activation" : "hidden_act");
}

Status bind(const ModelSpec& spec, Binder& binder) { return bind_llama_like(spec, binder, gemma_norm); }

} // namespace

Family gemma_family() { return {"gemma", spec_of, bind, {"model.", ""}}; }

} // namespace vitrine::model
