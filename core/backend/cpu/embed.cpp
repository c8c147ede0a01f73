// What enters the residual stream: constants, token and position embeddings.
#include "core/backend/cpu/ops.h"

namespace vitrine::backend::cpu {

namespace {

/// out = row `index` of a stored table, times `scale`.
template <typename S>
void copy_row(const model::Weight& table, std::int64_t index, float scale, S* out) {
    const std::byte* row = table.at(index, 0);
    if (in_blocks(table.dtype)) {
        kernels<S>().widen_blocks(table.dtype, row, 0, table.cols, out);
    } else if (table.col_stride == 1 && dtype_size(table.dtype) != 1 && table.dtype != DType::i16 &&
               table.dtype != DType::i32 && table.dtype != DType::i64) {
        kernels<S>().widen(table.dtype, row, table.cols, out);
    } else {
        const auto size = static_cast<std::int64_t>(dtype_size(table.dtype));
        for (std::int64_t c = 0; c < table.cols; ++c) {
            float value = 0;
            widen(table.dtype, row + c * table.col_stride * size, {&value, 1});
            out[c] = static_cast<S>(value);
        }
    }
    if (scale != 1.0F) kernels<S>().scale(static_cast<S>(scale), table.cols, out);
}

} // namespace

template <typename S>
void execute(const run::Constant& op, Context<S>& context) {
    const std::vector<float>& source = context.plan.constants[static_cast<std::size_t>(op.source)]->data;
    std::copy(source.begin(), source.end(), context.data(op.out));
}

template <typename S>
void execute(const run::Embed& op, Context<S>& context) {
    const model::Weight& table = context.weights.stored(op.table);
    S* out = context.data(op.out);
    context.for_rows(context.batch(op.out).size(), table.cols, [&](std::int64_t begin, std::int64_t end) {
        for (std::int64_t n = begin; n < end; ++n)
            copy_row(table, context.batch(op.out).tokens[static_cast<std::size_t>(n)], op.scale,
                     out + n * table.cols);
    });
}

template <typename S>
void execute(const run::PositionEmbed& op, Context<S>& context) {
    const model::Weight& table = context.weights.stored(op.table);
    S* out = context.data(op.out);
    context.for_rows(context.batch(op.out).size(), table.cols, [&](std::int64_t begin, std::int64_t end) {
        for (std::int64_t n = begin; n < end; ++n)
            copy_row(table, context.batch(op.out).position(static_cast<int>(n)) + op.offset, 1.0F,
                     out + n * table.cols);
    });
}

template void execute(const run::Constant&, Context<float>&);
template void execute(const run::Constant&, Context<double>&);
template void execute(const run::Embed&, Context<float>&);
template void execute(const run::Embed&, Context<double>&);
template void execute(const run::PositionEmbed&, Context<float>&);
template void execute(const run::PositionEmbed&, Context<double>&);

} // namespace vitrine::backend::cpu
