// Ops that copy and add, or change each element: Add, Repeat, Pointwise, Select, SumHeads, Capture.
#include "core/backend/cpu/ops.h"

namespace vitrine::backend::cpu {

template <typename S>
void execute(const run::Add& op, Context<S>& context) {
    const S* a = context.data(op.a);
    const S* b = context.data(op.b);
    S* out = context.data(op.out);
    const std::int64_t width = context.row_size(op.out);
    context.for_rows(context.rows(op.out), width, [&](std::int64_t begin, std::int64_t end) {
        kernels<S>().add(a + begin * width, b + begin * width, (end - begin) * width, out + begin * width);
    });
}

template <typename S>
void execute(const run::Repeat& op, Context<S>& context) {
    const S* in = context.data(op.in);
    S* out = context.data(op.out);
    const std::int64_t width = context.value(op.out).width;
    const int heads = context.value(op.out).heads;
    context.for_rows(context.rows(op.out), width * heads, [&](std::int64_t begin, std::int64_t end) {
        for (std::int64_t n = begin; n < end; ++n)
            for (int h = 0; h < heads; ++h)
                std::copy(in + n * width, in + (n + 1) * width, out + (n * heads + h) * width);
    });
}

template <typename S>
void pointwise(run::PointwiseKind kind, float x, std::int64_t count, S* values) {
    switch (kind) {
    case run::PointwiseKind::scale:
        return kernels<S>().scale(static_cast<S>(x), count, values);
    case run::PointwiseKind::clamp:
        return kernels<S>().clamp(static_cast<S>(x), count, values);
    case run::PointwiseKind::cap:
        return kernels<S>().cap(static_cast<S>(x), count, values);
    }
}

template <typename S>
void execute(const run::Pointwise& op, Context<S>& context) {
    const S* in = context.data(op.in);
    S* out = context.data(op.out);
    const std::int64_t width = context.row_size(op.out);
    context.for_rows(context.rows(op.out), width, [&](std::int64_t begin, std::int64_t end) {
        std::copy(in + begin * width, in + end * width, out + begin * width);
        pointwise(op.kind, op.x, (end - begin) * width, out + begin * width);
    });
}

template <typename S>
void execute(const run::Select& op, Context<S>& context) {
    const S* in = context.data(op.in);
    S* out = context.data(op.out);
    const std::int64_t width = context.row_size(op.in);
    for (std::size_t i = 0; i < op.rows.size(); ++i) {
        const S* row = in + op.rows[i] * width;
        std::copy(row, row + width, out + static_cast<std::int64_t>(i) * width);
    }
}

template <typename S>
void execute(const run::SumHeads& op, Context<S>& context) {
    const S* in = context.data(op.in);
    const S* bias = context.weights.vector(op.bias);
    S* out = context.data(op.out);
    const std::int64_t width = context.value(op.in).width;
    const int heads = context.value(op.in).heads;
    context.for_rows(context.rows(op.in), width * heads, [&](std::int64_t begin, std::int64_t end) {
        for (std::int64_t n = begin; n < end; ++n) {
            S* sum = out + n * width;
            const S* first = in + n * heads * width;
            std::copy(first, first + width, sum);
            for (int h = 1; h < heads; ++h)
                kernels<S>().add(sum, first + h * width, width, sum);
            if (bias != nullptr) kernels<S>().add(sum, bias, width, sum);
        }
    });
}

template <typename S>
void execute(const run::Capture& op, Context<S>& context) {
    float* out = context.outputs.captures[static_cast<std::size_t>(op.slot)].data.data();
    const S* in = context.data(op.value);
    if (static_cast<const void*>(in) == out) return; // the value was written there
    context.for_rows(context.plan.elements(op.value), 1, [&](std::int64_t begin, std::int64_t end) {
        std::copy(in + begin, in + end, out + begin);
    });
}

template void execute(const run::Add&, Context<float>&);
template void execute(const run::Add&, Context<double>&);
template void execute(const run::Repeat&, Context<float>&);
template void execute(const run::Repeat&, Context<double>&);
template void pointwise(run::PointwiseKind, float, std::int64_t, float*);
template void pointwise(run::PointwiseKind, float, std::int64_t, double*);
template void execute(const run::Pointwise&, Context<float>&);
template void execute(const run::Pointwise&, Context<double>&);
template void execute(const run::Select&, Context<float>&);
template void execute(const run::Select&, Context<double>&);
template void execute(const run::SumHeads&, Context<float>&);
template void execute(const run::SumHeads&, Context<double>&);
template void execute(const run::Capture&, Context<float>&);
template void execute(const run::Capture&, Context<double>&);

} // namespace vitrine::backend::cpu
