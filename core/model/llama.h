#pragma once
// The shape that Llama made common: rotary positions, RMSNorm before each branch, gated MLP, q_proj to
// down_proj.
#include "core/model/block_binder.h"
#include "core/model/rope.h"

namespace vitrine::model {

/// Where a family's config differs from Llama's, and what it assumes where the config is silent.
struct LlamaLike {
    const char* family;
    bool tied = false;
    NormKind norm = NormKind::rms;
    const char* eps_key = "rms_norm_eps";
    double eps = 1e-6;
    const char* activation = "silu";
    RopeDefaults rope = {};
};

Result<ModelSpec> llama_like(const Config& config, const LlamaLike& shape);

/// input_layernorm, self_attn (with q_norm and k_norm if spec.qk_norm), post_attention_layernorm, gated MLP.
Status bind_llama_like(const ModelSpec& spec, Binder& binder, NormTensors norm = {});

/// sliding_window for the layers from max_window_layers on, if use_sliding_window (Qwen 2 and 3).
Result<std::vector<int>> late_windows(const Config& config, const ModelSpec& spec);

} // namespace vitrine::model
