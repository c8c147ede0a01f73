#include "core/backend/cpu/ops.h"

namespace vitrine::backend::cpu {

template <typename S>
void execute(const run::Rotate& op, Context<S>& context) {
    const std::vector<float>& cos = context.plan.constants[static_cast<std::size_t>(op.cos)]->data;
    const std::vector<float>& sin = context.plan.constants[static_cast<std::size_t>(op.sin)]->data;
    const int half = op.dims / 2;
    const int width = context.value(op.in).width;
    const int heads = context.value(op.in).heads;
    const S* in = context.data(op.in);
    S* out = context.data(op.out);
    // The partners of a pair stand side by side, or half the rotated channels apart.
    const int step = op.interleaved ? 2 : 1;
    const int partner = op.interleaved ? 1 : half;
    context.for_rows(context.batch().size(), static_cast<std::int64_t>(heads) * width,
                     [&](std::int64_t begin, std::int64_t end) {
                         for (std::int64_t n = begin; n < end; ++n) {
                             const std::int64_t line =
                                 run::table_line(op, context.batch(), static_cast<int>(n));
                             const float* c = cos.data() + line * half;
                             const float* s = sin.data() + line * half;
                             for (int h = 0; h < heads; ++h) {
                                 const S* x = in + (n * heads + h) * width;
                                 S* y = out + (n * heads + h) * width;
                                 for (int i = 0; i < half; ++i) {
                                     const S a = x[i * step];
                                     const S b = x[i * step + partner];
                                     y[i * step] = a * c[i] - b * s[i];
                                     y[i * step + partner] = b * c[i] + a * s[i];
                                 }
                                 std::copy(x + op.dims, x + width, y + op.dims);
                             }
                         }
                     });
}

template void execute(const run::Rotate&, Context<float>&);
template void execute(const run::Rotate&, Context<double>&);

} // namespace vitrine::backend::cpu
