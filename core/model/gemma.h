#pragma once
// What the three generations of Gemma have in common.
#include "core/model/llama.h"

namespace vitrine::model {

/// Norms multiply by 1 + w.
inline constexpr NormTensors gemma_norm{.plus = 1.0F};

/// Llama's shape with a scaled, tied embedding; "gelu" means its tanh form. `activation_key`: what the
/// generation's config calls it.
Result<ModelSpec> gemma_like(const Config& config, const char* family, const char* activation_key,
                             const RopeDefaults& rope = {});

/// query_pre_attn_scalar, attn_logit_softcapping (if `score_cap`) and final_logit_softcapping of Gemma 2 and
/// 3, with the caps of a config that is silent. null: no cap.
Status gemma_attention(ModelSpec& spec, const Config& config, double score_cap, double logit_cap);

/// Blocks with norms before and behind each branch (Gemma 2 and 3).
Status bind_gemma_sandwich(const ModelSpec& spec, Binder& binder);

} // namespace vitrine::model
