// Granite: Llama with multipliers on embedding, scores, branches and logits.
#include "core/model/family.h"
#include "core/model/llama.h"

namespace vitrine::model {

namespace {

Result<ModelSpec> spec_of(const Config& config) {
    VITRINE_ASSIGN(ModelSpec spec, llama_like(config, {.family = "granite"}));
    VITRINE_ASSIGN(const double embedding, config.number_or("embedding_multiplier", 1.0));
    VITRINE_ASSIGN(const double attention, config.number_or("attention_multiplier", 1.0));
    VITRINE_ASSIGN(const double residual, config.number_or("residual_multiplier", 1.0));
    VITRINE_ASSIGN(const double logits, config.positive_or("logits_scaling", 1.0));
    spec.embedding_scale = static_cast<float>(embedding);
    spec.attention_scale = static_cast<float>(attention);
    spec.residual_scale = static_cast<float>(residual);
    spec.logit_scale = static_cast<float>(1.0 / logits);
    return spec;
}

Status bind(const ModelSpec& spec, Binder& binder) { return bind_llama_like(spec, binder); }

} // namespace

Family granite_family() { return {"granite", spec_of, bind, {"model.", ""}}; }

} // namespace vitrine::model
