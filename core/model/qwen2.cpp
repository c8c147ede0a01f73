// Qwen 1.5, 2 and 2.5: Llama with biases on queries, keys and values; later layers may have a window.
#include "core/model/family.h"
#include "core/model/llama.h"

namespace vitrine::model {

namespace {

Result<ModelSpec> spec_of(const Config& config) {
    VITRINE_ASSIGN(ModelSpec spec, llama_like(config, {.family = "qwen2"}));
    VITRINE_ASSIGN(spec.window, late_windows(config, spec));
    return spec;
}

Status bind(const ModelSpec& spec, Binder& binder) { return bind_llama_like(spec, binder); }

} // namespace

Family qwen2_family() { return {"qwen2", spec_of, bind, {"model.", ""}}; }

} // namespace vitrine::model
