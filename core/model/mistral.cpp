// Mistral: Llama with a sliding window in every layer.
#include "core/model/family.h"
#include "core/model/llama.h"

namespace vitrine::model {

namespace {

Result<ModelSpec> spec_of(const Config& config) {
    VITRINE_ASSIGN(ModelSpec spec, llama_like(config, {.family = "mistral"}));
    VITRINE_ASSIGN(spec.window, same_window(config, spec));
    return spec;
}

Status bind(const ModelSpec& spec, Binder& binder) { return bind_llama_like(spec, binder); }

} // namespace

Family mistral_family() { return {"mistral", spec_of, bind, {"model.", ""}}; }

} // namespace vitrine::model
