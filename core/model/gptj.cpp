// GPT-J: parallel branches on one LayerNorm, interleaved rotation with base 10000 whatever the config says, a
// bias on W_U.
#include <fmt/format.h>

#include "core/model/block_binder.h"
#include "core/model/family.h"
#include "core/model/rope.h"

namespace vitrine::model {

namespace {

Result<ModelSpec> spec_of(const Config& config) {
    VITRINE_ASSIGN(ModelSpec spec, sizes_of(config, "gptj", false, 4));
    VITRINE_ASSIGN(const double eps, config.positive_or("layer_norm_epsilon", 1e-5));
    VITRINE_ASSIGN(spec.activation, activation_of(config, "activation_function", "gelu_new"));
    VITRINE_ASSIGN(const int dims, config.count_or("rotary_dim", 64));
    if (dims % 2 != 0 || dims > spec.d_head)
        return fail(Code::malformed,
                    fmt::format("{}: \"rotary_dim\" is {}, but must be even and at most the head's {}.",
                                config.path(), dims, spec.d_head));
    spec.norm = {NormKind::layer, static_cast<float>(eps)};
    spec.parallel = spec.shared_norm = true;
    spec.positional = Positional::rotary;
    spec.rotaries = {plain_rope(dims, 10000.0)};
    spec.rotaries[0].interleaved = true;
    return spec;
}

Status bind(const ModelSpec& spec, Binder& binder) {
    VITRINE_TRY(bind_ends(spec, binder, {.embedding = "wte", .norm = "ln_f"}));
    return bind_blocks(spec, binder, "h.", [](const BlockBinder& block) -> Status {
        VITRINE_TRY(block.norm("ln1", "ln_1"));
        VITRINE_TRY(block.attention("attn.", "out_proj"));
        VITRINE_TRY(block.linear(Part::in, "mlp.fc_in"));
        return block.linear(Part::out, "mlp.fc_out");
    });
}

} // namespace

Family gptj_family() { return {"gptj", spec_of, bind, {"transformer.", ""}}; }

} // namespace vitrine::model
