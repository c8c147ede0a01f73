// Normalisation, whole or in its three parts. The whole op calls the same loops as the parts, so that its
// bits are theirs.
#include "core/backend/cpu/ops.h"

namespace vitrine::backend::cpu {

namespace {

/// A weight or bias that is the same for each vector, or one of `heads` in turn.
template <typename S>
class HeadVector {
public:
    HeadVector(model::WeightId id, std::int64_t width, Context<S>& context)
        : data_(context.weights.vector(id)), width_(width),
          heads_(id == model::no_weight ? 1 : context.weights.stored(id).cols / width) {}

    const S* of(std::int64_t vector) const {
        return data_ == nullptr ? nullptr : data_ + vector % heads_ * width_;
    }

private:
    const S* data_;
    std::int64_t width_, heads_;
};

} // namespace

template <typename S>
void execute(const run::Norm& op, Context<S>& context) {
    const std::int64_t width = op.flat ? context.row_size(op.in) : context.value(op.in).width;
    const std::int64_t count = context.rows(op.in) * context.row_size(op.in) / width;
    const S* in = context.data(op.in);
    const HeadVector<S> weight(op.weight, width, context);
    const HeadVector<S> bias(op.bias, width, context);
    S* out = context.data(op.out);
    S* scale = context.data(op.scale);
    S* normalized = context.data(op.normalized);
    context.for_rows(count, width, [&](std::int64_t begin, std::int64_t end) {
        for (std::int64_t n = begin; n < end; ++n) {
            const S* x = in + n * width;
            const Moments<S> moments = kernels<S>().moments(op.spec, x, width);
            S* unit = normalized == nullptr ? out + n * width : normalized + n * width;
            kernels<S>().normalize(moments.mean, moments.scale, x, width, unit);
            kernels<S>().affine(unit, weight.of(n), bias.of(n), width, out + n * width);
            if (scale != nullptr) scale[n] = moments.scale;
        }
    });
}

template <typename S>
void execute(const run::NormScale& op, Context<S>& context) {
    const std::int64_t width = context.value(op.in).width;
    const S* in = context.data(op.in);
    S* out = context.data(op.out);
    const std::int64_t count = context.rows(op.in) * context.value(op.in).heads;
    context.for_rows(count, width, [&](std::int64_t begin, std::int64_t end) {
        for (std::int64_t n = begin; n < end; ++n)
            out[n] = kernels<S>().moments(op.spec, in + n * width, width).scale;
    });
}

template <typename S>
void execute(const run::NormApply& op, Context<S>& context) {
    const std::int64_t width = context.value(op.in).width;
    const S* in = context.data(op.in);
    const S* scale = context.data(op.scale);
    S* out = context.data(op.out);
    const std::int64_t count = context.rows(op.in) * context.value(op.in).heads;
    context.for_rows(count, width, [&](std::int64_t begin, std::int64_t end) {
        for (std::int64_t n = begin; n < end; ++n) {
            const S* x = in + n * width;
            const S mean = kernels<S>().moments(op.spec, x, width).mean;
            kernels<S>().normalize(mean, scale[n], x, width, out + n * width);
        }
    });
}

template <typename S>
void execute(const run::NormAffine& op, Context<S>& context) {
    const std::int64_t width = context.value(op.in).width;
    const S* in = context.data(op.in);
    const S* weight = context.weights.vector(op.weight);
    const S* bias = context.weights.vector(op.bias);
    S* out = context.data(op.out);
    const std::int64_t count = context.rows(op.in) * context.value(op.in).heads;
    context.for_rows(count, width, [&](std::int64_t begin, std::int64_t end) {
        for (std::int64_t n = begin; n < end; ++n)
            kernels<S>().affine(in + n * width, weight, bias, width, out + n * width);
    });
}

template void execute(const run::Norm&, Context<float>&);
template void execute(const run::Norm&, Context<double>&);
template void execute(const run::NormScale&, Context<float>&);
template void execute(const run::NormScale&, Context<double>&);
template void execute(const run::NormApply&, Context<float>&);
template void execute(const run::NormApply&, Context<double>&);
template void execute(const run::NormAffine&, Context<float>&);
template void execute(const run::NormAffine&, Context<double>&);

} // namespace vitrine::backend::cpu
