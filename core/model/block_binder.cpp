#include "core/model/block_binder.h"

#include <fmt/format.h>

namespace vitrine::model {

namespace {

std::int64_t query_width(const ModelSpec& spec) { return std::int64_t{spec.heads} * spec.d_head; }
std::int64_t key_width(const ModelSpec& spec) { return std::int64_t{spec.kv_heads} * spec.d_head; }

/// Name, inputs and outputs of a part.
struct Shaped {
    const char* prefix;
    const char* name;
    std::int64_t in;
    std::int64_t out;
};

Shaped shape_of(const ModelSpec& spec, Part part) {
    const std::int64_t d = spec.d_model;
    switch (part) {
    case Part::Q:
        return {"attn.", "Q", d, query_width(spec)};
    case Part::K:
        return {"attn.", "K", d, key_width(spec)};
    case Part::V:
        return {"attn.", "V", d, key_width(spec)};
    case Part::O:
        return {"attn.", "O", query_width(spec), d};
    case Part::gate:
        return {"mlp.", "gate", d, spec.d_ff};
    case Part::in:
        return {"mlp.", "in", d, spec.d_ff};
    case Part::out:
        break;
    }
    return {"mlp.", "out", spec.d_ff, d};
}

} // namespace

Status bind_linear(Binder& binder, const std::string& prefix, const std::string& part,
                   const std::string& tensor, std::int64_t in, std::int64_t out, Stored stored, Slice slice) {
    VITRINE_TRY(binder.matrix(prefix + "W_" + part, tensor + ".weight", in, out, stored, slice));
    if (binder.has(tensor + ".bias"))
        return binder.vector(prefix + "b_" + part, tensor + ".bias", out, slice);
    return {};
}

Status bind_norm(Binder& binder, const std::string& ours, const std::string& tensor, std::int64_t size,
                 NormTensors norm) {
    if (norm.plus != 0.0F) {
        VITRINE_TRY(binder.shifted_vector(ours + ".w", tensor + ".weight", size, norm.plus));
    } else {
        VITRINE_TRY(binder.vector(ours + ".w", tensor + ".weight", size));
    }
    if (binder.has(tensor + ".bias")) return binder.vector(ours + ".b", tensor + ".bias", size);
    return {};
}

BlockBinder::BlockBinder(const ModelSpec& spec, Binder& binder, const std::string& prefix, int layer)
    : spec_(spec), binder_(binder), ours_(fmt::format("blocks.{}.", layer)),
      theirs_(fmt::format("{}{}.", prefix, layer)) {}

Status BlockBinder::norm(const char* ours, const std::string& tensor, NormTensors norm) const {
    return bind_norm(binder_, ours_ + ours, theirs_ + tensor, spec_.d_model, norm);
}

Status BlockBinder::linear(Part part, const std::string& tensor, Stored stored) const {
    const Shaped shaped = shape_of(spec_, part);
    return bind_linear(binder_, ours_ + shaped.prefix, shaped.name, theirs_ + tensor, shaped.in, shaped.out,
                       stored);
}

Status BlockBinder::fused_qkv(const std::string& tensor, Fused layout, Stored stored) const {
    const std::int64_t total = query_width(spec_) + 2 * key_width(spec_);
    const std::int64_t step = total / spec_.kv_heads;
    std::int64_t first = 0;
    for (const Part part : {Part::Q, Part::K, Part::V}) {
        const Shaped shaped = shape_of(spec_, part);
        const std::int64_t group = shaped.out / spec_.kv_heads;
        const Slice slice = layout == Fused::in_turn ? Slice{first, total} : Slice{first, total, group, step};
        VITRINE_TRY(bind_linear(binder_, ours_ + shaped.prefix, shaped.name, theirs_ + tensor, shaped.in,
                                shaped.out, stored, slice));
        first += layout == Fused::in_turn ? shaped.out : group;
    }
    return {};
}

Status BlockBinder::fused_gate(const std::string& tensor) const {
    std::int64_t first = 0;
    for (const char* part : {"gate", "in"}) {
        VITRINE_TRY(bind_linear(binder_, ours_ + "mlp.", part, theirs_ + tensor, spec_.d_model, spec_.d_ff,
                                Stored::out_in, {first, 2 * std::int64_t{spec_.d_ff}}));
        first += spec_.d_ff;
    }
    return {};
}

Status BlockBinder::attention(const std::string& prefix, const std::string& output) const {
    VITRINE_TRY(linear(Part::Q, prefix + "q_proj"));
    VITRINE_TRY(linear(Part::K, prefix + "k_proj"));
    VITRINE_TRY(linear(Part::V, prefix + "v_proj"));
    return linear(Part::O, prefix + output);
}

Status BlockBinder::gated_mlp() const {
    VITRINE_TRY(linear(Part::gate, "mlp.gate_proj"));
    VITRINE_TRY(linear(Part::in, "mlp.up_proj"));
    return linear(Part::out, "mlp.down_proj");
}

Status BlockBinder::qk_norm(const std::string& query, const std::string& key, NormTensors norm) const {
    if (spec_.qk_norm == QkNorm::per_head) {
        VITRINE_TRY(binder_.flattened(ours_ + "attn.q_norm.w", theirs_ + query + ".weight", spec_.heads,
                                      spec_.d_head));
        return binder_.flattened(ours_ + "attn.k_norm.w", theirs_ + key + ".weight", spec_.kv_heads,
                                 spec_.d_head);
    }
    const bool shared = spec_.qk_norm == QkNorm::head;
    VITRINE_TRY(bind_norm(binder_, ours_ + "attn.q_norm", theirs_ + query,
                          shared ? spec_.d_head : query_width(spec_), norm));
    return bind_norm(binder_, ours_ + "attn.k_norm", theirs_ + key, shared ? spec_.d_head : key_width(spec_),
                     norm);
}

Status bind_blocks(const ModelSpec& spec, Binder& binder, const std::string& prefix,
                   const std::function<Status(const BlockBinder&)>& bind) {
    for (int layer = 0; layer < spec.layers; ++layer)
        VITRINE_TRY(bind(BlockBinder(spec, binder, prefix, layer)));
    return {};
}

Status bind_ends(const ModelSpec& spec, Binder& binder, const Ends& ends) {
    const int width = spec.width_of_embedding();
    VITRINE_TRY(
        binder.matrix("W_E", std::string(ends.embedding) + ".weight", spec.vocab, width, Stored::in_out));
    if (spec.positional == Positional::learned)
        VITRINE_TRY(binder.matrix("W_pos", std::string(ends.positions) + ".weight",
                                  spec.context + spec.position_offset, spec.d_model, Stored::in_out));
    if (*ends.norm != '\0')
        VITRINE_TRY(bind_norm(binder, "ln_final", ends.norm, spec.d_model, ends.norm_tensors));
    if (!spec.tied) return bind_linear(binder, "unembed.", "U", ends.unembedding, width, spec.vocab);
    binder.tie_unembedding();
    const std::string bias = std::string(ends.unembedding) + ".bias";
    return binder.has(bias) ? binder.vector("unembed.b_U", bias, spec.vocab) : Status{};
}

} // namespace vitrine::model
