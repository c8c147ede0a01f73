// GPT-Neo: GPT-2 with separate projections, unscaled scores and a window in its local layers.
#include <fmt/format.h>

#include "core/model/block_binder.h"
#include "core/model/config.h"
#include "core/model/family.h"

namespace vitrine::model {

namespace {

/// attention_types: [[["global", "local"], 12]] is that pattern twelve times.
Result<std::vector<int>> windows(const Config& config, const ModelSpec& spec) {
    VITRINE_ASSIGN(const int window, config.count_or("window_size", 256));
    static const Json usual = Json::parse(R"([[["global", "local"], 12]])");
    const Json& types = config.has("attention_types") ? config.json()["attention_types"] : usual;
    const auto layers = static_cast<std::size_t>(spec.layers);
    std::vector<int> windows;
    for (const Json& entry : types.is_array() ? types : Json::array()) {
        if (!entry.is_array() || entry.size() != 2 || !entry[0].is_array() ||
            !entry[1].is_number_unsigned()) {
            windows.clear();
            break;
        }
        for (std::size_t i = 0; i < std::min(entry[1].get<std::size_t>(), layers); ++i)
            for (const Json& type : entry[0]) {
                if (type != "global" && type != "local")
                    return fail(
                        Code::unsupported,
                        fmt::format("{}: \"attention_types\" holds {}; global and local are supported.",
                                    config.path(), dump_json(type)));
                windows.push_back(type == "local" ? window : 0);
            }
    }
    if (windows.size() != layers)
        return fail(Code::malformed,
                    fmt::format("{}: \"attention_types\" must be a list of [names, times] for {} layers.",
                                config.path(), spec.layers));
    return windows;
}

Result<ModelSpec> spec_of(const Config& config) {
    VITRINE_ASSIGN(ModelSpec spec, sizes_of(config, "gpt_neo", true, 4));
    VITRINE_ASSIGN(const double eps, config.positive_or("layer_norm_epsilon", 1e-5));
    VITRINE_ASSIGN(spec.activation, activation_of(config, "activation_function", "gelu_new"));
    VITRINE_ASSIGN(spec.window, windows(config, spec));
    spec.norm = {NormKind::layer, static_cast<float>(eps)};
    spec.positional = Positional::learned;
    spec.attention_scale = 1.0F;
    return spec;
}

Status bind(const ModelSpec& spec, Binder& binder) {
    VITRINE_TRY(bind_ends(spec, binder, {.embedding = "wte", .positions = "wpe", .norm = "ln_f"}));
    return bind_blocks(spec, binder, "h.", [](const BlockBinder& block) -> Status {
        VITRINE_TRY(block.norm("ln1", "ln_1"));
        VITRINE_TRY(block.attention("attn.attention.", "out_proj"));
        VITRINE_TRY(block.norm("ln2", "ln_2"));
        VITRINE_TRY(block.linear(Part::in, "mlp.c_fc"));
        return block.linear(Part::out, "mlp.c_proj");
    });
}

} // namespace

Family gpt_neo_family() { return {"gpt_neo", spec_of, bind, {"transformer.", ""}}; }

} // namespace vitrine::model
