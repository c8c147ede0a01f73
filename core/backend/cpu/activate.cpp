#include "core/backend/cpu/ops.h"

namespace vitrine::backend::cpu {

template <typename S>
void execute(const run::Activate& op, Context<S>& context) {
    const S* in = context.data(op.in);
    const S* factor = context.data(op.factor);
    S* out = context.data(op.out);
    const std::int64_t width = context.row_size(op.in);
    context.for_rows(context.rows(op.in), width, [&](std::int64_t begin, std::int64_t end) {
        kernels<S>().activate(op.kind, in + begin * width,
                              factor == nullptr ? nullptr : factor + begin * width, (end - begin) * width,
                              out + begin * width);
    });
}

template void execute(const run::Activate&, Context<float>&);
template void execute(const run::Activate&, Context<double>&);

} // namespace vitrine::backend::cpu
