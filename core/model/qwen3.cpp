// Qwen 3: Qwen 2 without biases, with RMSNorm on every query and key head.
#include "core/model/family.h"
#include "core/model/llama.h"

namespace vitrine::model {

namespace {

Result<ModelSpec> spec_of(const Config& config) {
    VITRINE_ASSIGN(ModelSpec spec, llama_like(config, {.family = "qwen3"}));
    VITRINE_ASSIGN(spec.window, late_windows(config, spec));
    spec.qk_norm = QkNorm::head;
    spec.qk_norm_spec = spec.norm;
    return spec;
}

Status bind(const ModelSpec& spec, Binder& binder) { return bind_llama_like(spec, binder); }

} // namespace

Family qwen3_family() { return {"qwen3", spec_of, bind, {"model.", ""}}; }

} // namespace vitrine::model
