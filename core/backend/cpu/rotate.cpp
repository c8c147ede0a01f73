#include "core/backend/cpu/rotate.h"

#include "core/backend/cpu/ops.h"

namespace vitrine::backend::cpu {

template <typename S>
void rotate_head(const run::Rotate& op, const float* cos, const float* sin, int width, const S* x, S* y) {
    const int half = op.dims / 2;
    // The partners of a pair stand side by side, or half the rotated channels apart.
    const int step = op.interleaved ? 2 : 1;
    const int partner = op.interleaved ? 1 : half;
    for (int i = 0; i < half; ++i) {
        const S a = x[i * step];
        const S b = x[i * step + partner];
        y[i * step] = a * cos[i] - b * sin[i];
        y[i * step + partner] = b * cos[i] + a * sin[i];
    }
    std::copy(x + op.dims, x + width, y + op.dims);
}

template <typename S>
void execute(const run::Rotate& op, Context<S>& context) {
    const std::vector<float>& cos = context.plan.constants[static_cast<std::size_t>(op.cos)]->data;
    const std::vector<float>& sin = context.plan.constants[static_cast<std::size_t>(op.sin)]->data;
    const int half = op.dims / 2;
    const int width = context.value(op.in).width;
    const int heads = context.value(op.in).heads;
    const S* in = context.data(op.in);
    S* out = context.data(op.out);
    context.for_rows(context.batch(op.out).size(), static_cast<std::int64_t>(heads) * width,
                     [&](std::int64_t begin, std::int64_t end) {
                         for (std::int64_t n = begin; n < end; ++n) {
                             const std::int64_t line =
                                 run::table_line(op, context.batch(op.out), static_cast<int>(n));
                             for (int h = 0; h < heads; ++h) {
                                 const std::int64_t at = (n * heads + h) * width;
                                 rotate_head(op, cos.data() + line * half, sin.data() + line * half, width,
                                             in + at, out + at);
                             }
                         }
                     });
}

template void rotate_head(const run::Rotate&, const float*, const float*, int, const float*, float*);
template void rotate_head(const run::Rotate&, const float*, const float*, int, const double*, double*);
template void execute(const run::Rotate&, Context<float>&);
template void execute(const run::Rotate&, Context<double>&);

} // namespace vitrine::backend::cpu
