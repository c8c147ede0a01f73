// GPT-2: learned positions, LayerNorm before each branch, fused QKV stored [in, out], tied unembedding.
#include <cmath>

#include <fmt/format.h>

#include "core/model/family.h"

namespace vitrine::model {

namespace {

Result<ModelSpec> spec_of(const Config& config) {
    ModelSpec spec;
    spec.family = "gpt2";
    VITRINE_ASSIGN(spec.layers, config.count("n_layer"));
    VITRINE_ASSIGN(spec.d_model, config.count("n_embd"));
    VITRINE_ASSIGN(spec.heads, config.count("n_head"));
    VITRINE_ASSIGN(spec.vocab, config.count("vocab_size"));
    VITRINE_ASSIGN(spec.context, config.count_or("n_positions", 1024));
    VITRINE_ASSIGN(spec.d_ff, config.count_or("n_inner", 4 * spec.d_model));
    VITRINE_ASSIGN(const double eps, config.number_or("layer_norm_epsilon", 1e-5));
    VITRINE_ASSIGN(const std::string activation, config.text_or("activation_function", "gelu_new"));
    VITRINE_ASSIGN(spec.activation, activation_of(config, activation));
    VITRINE_ASSIGN(const bool scaled, config.flag_or("scale_attn_weights", true));
    VITRINE_ASSIGN(const bool by_layer, config.flag_or("scale_attn_by_inverse_layer_idx", false));
    VITRINE_ASSIGN(spec.tied, config.flag_or("tie_word_embeddings", true));
    if (spec.d_model % spec.heads != 0)
        return fail(Code::malformed, fmt::format("{}: n_embd {} is no multiple of n_head {}.", config.path(),
                                                 spec.d_model, spec.heads));
    if (by_layer)
        return fail(Code::unsupported,
                    fmt::format("{}: scale_attn_by_inverse_layer_idx is not supported yet.", config.path()));
    spec.kv_heads = spec.heads;
    spec.d_head = spec.d_model / spec.heads;
    spec.norm = {NormKind::layer, static_cast<float>(eps)};
    spec.positional = Positional::learned;
    spec.attention_scale = scaled ? 1.0F / std::sqrt(static_cast<float>(spec.d_head)) : 1.0F;
    return spec;
}

Status bind_block(const ModelSpec& spec, Binder& binder, int layer) {
    const std::string ours = fmt::format("blocks.{}.", layer);
    const std::string theirs = fmt::format("h.{}.", layer);
    const std::int64_t d = spec.d_model;
    for (const char* norm : {"1", "2"}) {
        VITRINE_TRY(binder.vector(ours + "ln" + norm + ".w", theirs + "ln_" + norm + ".weight", d));
        VITRINE_TRY(binder.vector(ours + "ln" + norm + ".b", theirs + "ln_" + norm + ".bias", d));
    }
    std::int64_t first = 0;
    for (const char* part : {"Q", "K", "V"}) {
        const Slice slice{first, 3 * d};
        VITRINE_TRY(binder.matrix(ours + "attn.W_" + part, theirs + "attn.c_attn.weight", d, d,
                                  Stored::in_out, slice));
        VITRINE_TRY(binder.vector(ours + "attn.b_" + part, theirs + "attn.c_attn.bias", d, slice));
        first += d;
    }
    VITRINE_TRY(binder.matrix(ours + "attn.W_O", theirs + "attn.c_proj.weight", d, d, Stored::in_out));
    VITRINE_TRY(binder.vector(ours + "attn.b_O", theirs + "attn.c_proj.bias", d));
    VITRINE_TRY(binder.matrix(ours + "mlp.W_in", theirs + "mlp.c_fc.weight", d, spec.d_ff, Stored::in_out));
    VITRINE_TRY(binder.vector(ours + "mlp.b_in", theirs + "mlp.c_fc.bias", spec.d_ff));
    VITRINE_TRY(
        binder.matrix(ours + "mlp.W_out", theirs + "mlp.c_proj.weight", spec.d_ff, d, Stored::in_out));
    return binder.vector(ours + "mlp.b_out", theirs + "mlp.c_proj.bias", d);
}

Status bind(const ModelSpec& spec, Binder& binder) {
    VITRINE_TRY(binder.matrix("W_E", "wte.weight", spec.vocab, spec.d_model, Stored::in_out));
    VITRINE_TRY(binder.matrix("W_pos", "wpe.weight", spec.context, spec.d_model, Stored::in_out));
    for (int layer = 0; layer < spec.layers; ++layer)
        VITRINE_TRY(bind_block(spec, binder, layer));
    VITRINE_TRY(binder.vector("ln_final.w", "ln_f.weight", spec.d_model));
    VITRINE_TRY(binder.vector("ln_final.b", "ln_f.bias", spec.d_model));
    if (!spec.tied)
        return binder.matrix("unembed.W_U", "lm_head.weight", spec.d_model, spec.vocab, Stored::out_in);
    binder.tie_unembedding();
    return {};
}

} // namespace

Family gpt2_family() { return {"gpt2", spec_of, bind, {"transformer.", ""}}; }

} // namespace vitrine::model
