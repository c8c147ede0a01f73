// Gemma 2: norms around each branch, soft-caps on scores and logits, a window in every other layer.
#include "core/model/family.h"
#include "core/model/gemma.h"

namespace vitrine::model {

namespace {

Result<ModelSpec> spec_of(const Config& config) {
    VITRINE_ASSIGN(ModelSpec spec, gemma_like(config, "gemma2", "hidden_activation"));
    VITRINE_TRY(gemma_attention(spec, config, 50.0, 30.0));
    VITRINE_ASSIGN(const int window, config.count_or("sliding_window", 4096));
    VITRINE_ASSIGN(spec.window, windows_of(config, spec, window, [](int layer) { return layer % 2 == 0; }));
    return spec;
}

} // namespace

Family gemma2_family() { return {"gemma2", spec_of, bind_gemma_sandwich, {"model.", ""}}; }

} // namespace vitrine::model
