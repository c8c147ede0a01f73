// SmolLM 3: Llama with layers that do not rotate, every fourth unless the config lists them; only those may
// have a window.
#include "core/model/family.h"
#include "core/model/llama.h"

namespace vitrine::model {

namespace {

Result<ModelSpec> spec_of(const Config& config) {
    VITRINE_ASSIGN(ModelSpec spec,
                   llama_like(config, {.family = "smollm3", .tied = true, .rope = {.theta = 2e6}}));
    VITRINE_ASSIGN(const int interval, config.count_or("no_rope_layer_interval", 4));
    std::vector<double> rotates;
    if (config.has("no_rope_layers")) {
        VITRINE_ASSIGN(rotates, config.numbers("no_rope_layers", spec.layers)); // 1 rotates, 0 does not
    }
    for (int layer = 0; layer < spec.layers; ++layer) {
        const bool does =
            rotates.empty() ? (layer + 1) % interval != 0 : rotates[static_cast<std::size_t>(layer)] != 0;
        spec.rotary_of_layer.push_back(does ? 0 : -1);
    }
    VITRINE_ASSIGN(const bool windows, config.flag_or("use_sliding_window", false));
    VITRINE_ASSIGN(const int window, config.count_or("sliding_window", 4096));
    const auto slides = [&](int layer) { return spec.rotary_index(layer) < 0; };
    const bool has_window = windows && config.has("sliding_window");
    VITRINE_ASSIGN(spec.window, windows_of(config, spec, has_window ? window : 0, slides));
    return spec;
}

Status bind(const ModelSpec& spec, Binder& binder) { return bind_llama_like(spec, binder); }

} // namespace

Family smollm3_family() { return {"smollm3", spec_of, bind, {"model.", ""}}; }

} // namespace vitrine::model
