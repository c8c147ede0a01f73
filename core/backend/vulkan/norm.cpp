#include "core/backend/vulkan/norm.h"

#include <algorithm>

namespace vitrine::backend::vulkan {

namespace {

// As in shaders/norm.comp.
enum Flag : std::uint32_t {
    read_scale = 1,
    write_scale = 2,
    write_normalized = 4,
    write_out = 8,
    has_weight = 16,
    has_bias = 32,
};

struct Push {
    std::uint32_t vectors, head, width, elements;
    float eps;
    std::uint32_t flags, weight_heads, bias_heads, block;
};

struct Parts {
    run::ValueId in;
    run::ValueId scale_in = run::absent;
    run::ValueId scale = run::absent;
    run::ValueId normalized = run::absent;
    run::ValueId out = run::absent;
    model::WeightId weight = model::no_weight;
    model::WeightId bias = model::no_weight;
    bool flat = false;
};

/// 1 for a weight that all heads share.
int heads_of(const Execution& execution, model::WeightId id, const ValueLayout& in) {
    if (id == model::no_weight) return 1;
    return static_cast<int>(execution.weights.model().at(id).cols / in.width);
}

Status record_norm(Execution& execution, const model::NormSpec& spec, const Parts& parts) {
    const Operand in = execution.value(parts.in);
    const ValueLayout& layout = *in.layout;
    const std::uint32_t vectors = parts.flat ? layout.count : layout.count * layout.heads;
    const auto slice = [&](run::ValueId id) {
        return id == run::absent ? execution.unused() : execution.value(id).slice;
    };
    std::uint32_t flags = 0;
    if (parts.scale_in != run::absent) flags |= read_scale;
    if (parts.scale != run::absent) flags |= write_scale;
    if (parts.normalized != run::absent) flags |= write_normalized;
    if (parts.out != run::absent) flags |= write_out;
    if (parts.weight != model::no_weight) flags |= has_weight;
    if (parts.bias != model::no_weight) flags |= has_bias;
    const int weight_heads = heads_of(execution, parts.weight, layout);
    const int bias_heads = heads_of(execution, parts.bias, layout);
    VITRINE_ASSIGN(const Slice weight, execution.bias(parts.weight, weight_heads));
    VITRINE_ASSIGN(const Slice bias, execution.bias(parts.bias, bias_heads));
    const Push push{.vectors = vectors,
                    .head = parts.flat ? layout.row() : layout.head(),
                    .width = layout.width,
                    .elements = parts.flat ? layout.width * layout.heads : layout.width,
                    .eps = spec.eps,
                    .flags = flags,
                    .weight_heads = parts.flat ? 1 : static_cast<std::uint32_t>(weight_heads),
                    .bias_heads = parts.flat ? 1 : static_cast<std::uint32_t>(bias_heads),
                    .block = layout.head()};
    const std::uint32_t centred = spec.kind == model::NormKind::layer;
    execution.recorder.dispatch(
        {"norm", "TTTTSSS", sizeof push, {execution.device.caps().subgroup, centred, parts.flat}, true},
        {in.slice, slice(parts.scale_in), weight, bias, slice(parts.scale), slice(parts.normalized),
         slice(parts.out)},
        push, {std::min(vectors, 32768U), (vectors + 32767) / 32768, 1},
        40.0 * static_cast<double>(layout.size));
    return {};
}

} // namespace

Status record(Execution& execution, const run::Norm& op) {
    return record_norm(execution, op.spec,
                       {.in = op.in,
                        .scale = op.scale,
                        .normalized = op.normalized,
                        .out = op.out,
                        .weight = op.weight,
                        .bias = op.bias,
                        .flat = op.flat});
}

Status record(Execution& execution, const run::NormScale& op) {
    return record_norm(execution, op.spec, {.in = op.in, .scale = op.out});
}

Status record(Execution& execution, const run::NormApply& op) {
    return record_norm(execution, op.spec, {.in = op.in, .scale_in = op.scale, .normalized = op.out});
}

Status record(Execution& execution, const run::NormAffine& op) {
    struct AffinePush {
        std::uint32_t items, head, has_weight, has_bias;
    };
    const Operand in = execution.value(op.in);
    VITRINE_ASSIGN(const Slice weight, execution.bias(op.weight, 1));
    VITRINE_ASSIGN(const Slice bias, execution.bias(op.bias, 1));
    const AffinePush push{static_cast<std::uint32_t>(in.layout->size), in.layout->head(),
                          op.weight != model::no_weight, op.bias != model::no_weight};
    execution.recorder.dispatch({"affine", "TTTS", sizeof push, {}},
                                {in.slice, weight, bias, execution.value(op.out).slice}, push,
                                Execution::grid(push.items), 8.0 * push.items);
    return {};
}

} // namespace vitrine::backend::vulkan
