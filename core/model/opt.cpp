// OPT: learned positions from row 2 on. The 350m kind has narrow embeddings with projections around the
// blocks, norms after each addition and no final norm. Galactica has neither biases nor norm weights.
#include "core/model/block_binder.h"
#include "core/model/config.h"
#include "core/model/family.h"

namespace vitrine::model {

namespace {

Result<ModelSpec> spec_of(const Config& config) {
    VITRINE_ASSIGN(ModelSpec spec, sizes_of(config, "opt", true));
    VITRINE_ASSIGN(spec.activation, activation_of(config, "activation_function", "relu"));
    VITRINE_ASSIGN(const bool before, config.flag_or("do_layer_norm_before", true));
    VITRINE_ASSIGN(const bool removed, config.flag_or("_remove_final_layer_norm", false));
    VITRINE_ASSIGN(const int width, config.count_or("word_embed_proj_dim", spec.d_model));
    spec.norm = {NormKind::layer, 1e-5F}; // the config has no say
    spec.norm_place = before ? NormPlace::before : NormPlace::after_sum;
    spec.final_norm = before && !removed;
    spec.embed_width = width == spec.d_model ? 0 : width;
    spec.positional = Positional::learned;
    spec.position_offset = 2;
    return spec;
}

/// layer_norm_elementwise_affine false: the file has no norm weights.
Status bind_norm(const BlockBinder& block, const char* ours, const std::string& theirs) {
    return block.binder().has(block.theirs() + theirs + ".weight") ? block.norm(ours, theirs) : Status{};
}

Status bind(const ModelSpec& spec, Binder& binder) {
    const bool norm = spec.final_norm && binder.has("final_layer_norm.weight");
    VITRINE_TRY(
        bind_ends(spec, binder, {.positions = "embed_positions", .norm = norm ? "final_layer_norm" : ""}));
    if (spec.embed_width > 0) {
        VITRINE_TRY(bind_linear(binder, "embed.", "in", "project_in", spec.embed_width, spec.d_model));
        VITRINE_TRY(bind_linear(binder, "unembed.", "in", "project_out", spec.d_model, spec.embed_width));
    }
    return bind_blocks(spec, binder, "layers.", [](const BlockBinder& block) -> Status {
        VITRINE_TRY(bind_norm(block, "ln1", "self_attn_layer_norm"));
        VITRINE_TRY(block.attention("self_attn.", "out_proj"));
        VITRINE_TRY(bind_norm(block, "ln2", "final_layer_norm"));
        VITRINE_TRY(block.linear(Part::in, "fc1"));
        return block.linear(Part::out, "fc2");
    });
}

} // namespace

Family opt_family() { return {"opt", spec_of, bind, {"model.decoder.", "decoder.", ""}}; }

} // namespace vitrine::model
