// Llama: rotary positions, RMSNorm before each branch, gated MLP, optionally fewer key and value heads.
#include <cmath>

#include <fmt/format.h>

#include "core/model/family.h"

namespace vitrine::model {

namespace {

Result<ModelSpec> spec_of(const Config& config) {
    ModelSpec spec;
    spec.family = "llama";
    VITRINE_ASSIGN(spec.layers, config.count("num_hidden_layers"));
    VITRINE_ASSIGN(spec.d_model, config.count("hidden_size"));
    VITRINE_ASSIGN(spec.heads, config.count("num_attention_heads"));
    VITRINE_ASSIGN(spec.kv_heads, config.count_or("num_key_value_heads", spec.heads));
    VITRINE_ASSIGN(spec.d_head, config.count_or("head_dim", std::max(1, spec.d_model / spec.heads)));
    VITRINE_ASSIGN(spec.d_ff, config.count("intermediate_size"));
    VITRINE_ASSIGN(spec.vocab, config.count("vocab_size"));
    VITRINE_ASSIGN(spec.context, config.count_or("max_position_embeddings", 2048));
    VITRINE_ASSIGN(const double eps, config.number_or("rms_norm_eps", 1e-6));
    VITRINE_ASSIGN(const std::string activation, config.text_or("hidden_act", "silu"));
    VITRINE_ASSIGN(spec.activation, activation_of(config, activation));
    VITRINE_ASSIGN(spec.tied, config.flag_or("tie_word_embeddings", false));
    VITRINE_ASSIGN(RotarySpec rotary, rotary_of(config, spec.d_head, 10000.0));
    spec.rotaries = {std::move(rotary)};
    if (spec.heads % spec.kv_heads != 0)
        return fail(Code::malformed,
                    fmt::format("{}: num_attention_heads {} is no multiple of num_key_value_heads {}.",
                                config.path(), spec.heads, spec.kv_heads));
    spec.norm = {NormKind::rms, static_cast<float>(eps)};
    spec.gated = true;
    spec.positional = Positional::rotary;
    spec.attention_scale = 1.0F / std::sqrt(static_cast<float>(spec.d_head));
    return spec;
}

/// nn.Linear: [out, in], with a bias where the file has one.
Status linear(Binder& binder, const std::string& ours, const std::string& part, const std::string& theirs,
              std::int64_t in, std::int64_t out) {
    VITRINE_TRY(binder.matrix(ours + "W_" + part, theirs + ".weight", in, out, Stored::out_in));
    if (binder.has(theirs + ".bias")) return binder.vector(ours + "b_" + part, theirs + ".bias", out);
    return {};
}

Status bind_block(const ModelSpec& spec, Binder& binder, int layer) {
    const std::string ours = fmt::format("blocks.{}.", layer);
    const std::string theirs = fmt::format("layers.{}.", layer);
    const std::int64_t d = spec.d_model;
    const std::int64_t queries = std::int64_t{spec.heads} * spec.d_head;
    const std::int64_t keys = std::int64_t{spec.kv_heads} * spec.d_head;
    VITRINE_TRY(binder.vector(ours + "ln1.w", theirs + "input_layernorm.weight", d));
    VITRINE_TRY(linear(binder, ours + "attn.", "Q", theirs + "self_attn.q_proj", d, queries));
    VITRINE_TRY(linear(binder, ours + "attn.", "K", theirs + "self_attn.k_proj", d, keys));
    VITRINE_TRY(linear(binder, ours + "attn.", "V", theirs + "self_attn.v_proj", d, keys));
    VITRINE_TRY(linear(binder, ours + "attn.", "O", theirs + "self_attn.o_proj", queries, d));
    VITRINE_TRY(binder.vector(ours + "ln2.w", theirs + "post_attention_layernorm.weight", d));
    VITRINE_TRY(linear(binder, ours + "mlp.", "gate", theirs + "mlp.gate_proj", d, spec.d_ff));
    VITRINE_TRY(linear(binder, ours + "mlp.", "in", theirs + "mlp.up_proj", d, spec.d_ff));
    return linear(binder, ours + "mlp.", "out", theirs + "mlp.down_proj", spec.d_ff, d);
}

Status bind(const ModelSpec& spec, Binder& binder) {
    VITRINE_TRY(binder.matrix("W_E", "embed_tokens.weight", spec.vocab, spec.d_model, Stored::in_out));
    for (int layer = 0; layer < spec.layers; ++layer)
        VITRINE_TRY(bind_block(spec, binder, layer));
    VITRINE_TRY(binder.vector("ln_final.w", "norm.weight", spec.d_model));
    if (!spec.tied)
        return binder.matrix("unembed.W_U", "lm_head.weight", spec.d_model, spec.vocab, Stored::out_in);
    binder.tie_unembedding();
    return {};
}

} // namespace

Family llama_family() { return {"llama", spec_of, bind, {"model.", ""}}; }

} // namespace vitrine::model
