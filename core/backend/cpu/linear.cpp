// Products with weights: whole, and head by head.
#include "core/backend/cpu/ops.h"

namespace vitrine::backend::cpu {

template <typename S>
void execute(const run::Linear& op, Context<S>& context) {
    const Matrix<S>& matrix = context.weights.matrix(op.weight, context.pool);
    multiply<S>(matrix, matrix.whole(),
                {context.data(op.in), context.rows(op.in), context.row_size(op.in), context.plan.decoding},
                context.weights.vector(op.bias), {context.data(op.out), context.row_size(op.out)},
                context.scratch.product, context.pool, context.cancel);
}

template <typename S>
void execute(const run::HeadLinear& op, Context<S>& context) {
    const Matrix<S>& matrix = context.weights.matrix(op.weight, context.pool);
    const S* bias = context.weights.vector(op.bias);
    const int in_width = context.value(op.in).width;
    const int out_width = context.value(op.out).width;
    for (int h = 0; h < context.value(op.out).heads; ++h) {
        const std::int64_t column = static_cast<std::int64_t>(h) * out_width;
        multiply<S>(matrix, {0, matrix.inner(), column, column + out_width},
                    {context.data(op.in) + h * in_width, context.rows(op.in), context.row_size(op.in),
                     context.plan.decoding},
                    bias == nullptr ? nullptr : bias + column,
                    {context.data(op.out) + column, context.row_size(op.out)}, context.scratch.product,
                    context.pool, context.cancel);
    }
}

template <typename S>
void execute(const run::HeadResult& op, Context<S>& context) {
    const Matrix<S>& matrix = context.weights.matrix(op.weight, context.pool);
    const int in_width = context.value(op.in).width;
    const int out_width = context.value(op.out).width;
    for (int h = 0; h < context.value(op.in).heads; ++h) {
        const std::int64_t row = static_cast<std::int64_t>(h) * in_width;
        multiply<S>(
            matrix, {row, row + in_width, 0, matrix.columns()},
            {context.data(op.in) + row, context.rows(op.in), context.row_size(op.in), context.plan.decoding},
            nullptr,
            {context.data(op.out) + static_cast<std::int64_t>(h) * out_width, context.row_size(op.out)},
            context.scratch.product, context.pool, context.cancel);
    }
}

template void execute(const run::Linear&, Context<float>&);
template void execute(const run::Linear&, Context<double>&);
template void execute(const run::HeadLinear&, Context<float>&);
template void execute(const run::HeadLinear&, Context<double>&);
template void execute(const run::HeadResult&, Context<float>&);
template void execute(const run::HeadResult&, Context<double>&);

} // namespace vitrine::backend::cpu
