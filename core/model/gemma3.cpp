// Gemma 3 (text): local layers with a window and their own rotation between global ones, RMSNorm on queries
// and keys. Scores have no soft-cap.
#include "core/model/family.h"
#include "core/model/gemma.h"

namespace vitrine::model {

namespace {

Result<ModelSpec> spec_of(const Config& config) {
    const RopeDefaults global{.theta = 1e6, .layer_type = "full_attention"};
    const RopeDefaults local{
        .theta_key = "rope_local_base_freq", .layer_type = "sliding_attention", .scaled = false};
    VITRINE_TRY(config.only("attn_logit_softcapping", nullptr));
    VITRINE_ASSIGN(ModelSpec spec, gemma_like(config, "gemma3_text", "hidden_activation", global));
    VITRINE_TRY(gemma_attention(spec, config, 0.0, 0.0));
    spec.qk_norm = QkNorm::head;
    spec.qk_norm_spec = spec.norm;

    VITRINE_ASSIGN(const int window, config.count_or("sliding_window", 4096));
    const bool older = config.has("sliding_window_pattern");
    VITRINE_ASSIGN(const int pattern,
                   config.count_or(older ? "sliding_window_pattern" : "_sliding_window_pattern", 6));
    const auto slides = [&](int layer) { return (layer + 1) % pattern != 0; };
    VITRINE_ASSIGN(spec.window, windows_of(config, spec, window, slides));
    VITRINE_ASSIGN(RotarySpec rotary, rope_of(config, spec, local));
    spec.rotaries.push_back(std::move(rotary));
    for (const int size : spec.window)
        spec.rotary_of_layer.push_back(size > 0 ? 1 : 0);
    return spec;
}

} // namespace

Family gemma3_family() { return {"gemma3_text", spec_of, bind_gemma_sandwich, {"model.", ""}}; }

} // namespace vitrine::model
