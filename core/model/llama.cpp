// Llama 1 to 3 and what is saved as one (SmolLM 1 and 2, TinyLlama, Yi, …).
#include "core/model/llama.h"

#include "core/model/family.h"

namespace vitrine::model {

Result<ModelSpec> llama_like(const Config& config, const LlamaLike& shape) {
    VITRINE_ASSIGN(ModelSpec spec, sizes_of(config, shape.family, shape.tied));
    VITRINE_ASSIGN(const double eps, config.positive_or(shape.eps_key, shape.eps));
    VITRINE_ASSIGN(spec.activation, activation_of(config, "hidden_act", shape.activation));
    spec.norm = {shape.norm, static_cast<float>(eps)};
    spec.gated = true;
    VITRINE_TRY(rotate_all(spec, config, shape.rope));
    return spec;
}

Status bind_llama_like(const ModelSpec& spec, Binder& binder, NormTensors norm) {
    Ends ends;
    ends.norm_tensors = norm;
    VITRINE_TRY(bind_ends(spec, binder, ends));
    return bind_blocks(spec, binder, "layers.", [&](const BlockBinder& block) -> Status {
        VITRINE_TRY(block.norm("ln1", "input_layernorm", norm));
        VITRINE_TRY(block.attention("self_attn.", "o_proj"));
        if (spec.qk_norm != QkNorm::none)
            VITRINE_TRY(block.qk_norm("self_attn.q_norm", "self_attn.k_norm", norm));
        VITRINE_TRY(block.norm("ln2", "post_attention_layernorm", norm));
        return block.gated_mlp();
    });
}

Result<std::vector<int>> late_windows(const Config& config, const ModelSpec& spec) {
    VITRINE_ASSIGN(const bool used, config.flag_or("use_sliding_window", false));
    if (!used || !config.has("sliding_window")) return windows_of(config, spec, 0, [](int) { return false; });
    VITRINE_ASSIGN(const int window, config.count("sliding_window"));
    VITRINE_ASSIGN(const double first, config.number_or("max_window_layers", 28));
    return windows_of(config, spec, window, [&](int layer) { return layer >= first; });
}

namespace {

Result<ModelSpec> spec_of(const Config& config) { return llama_like(config, {.family = "llama"}); }

Status bind(const ModelSpec& spec, Binder& binder) { return bind_llama_like(spec, binder); }

} // namespace

Family llama_family() { return {"llama", spec_of, bind, {"model.", ""}}; }

} // namespace vitrine::model
