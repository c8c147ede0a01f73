#include "core/backend/cpu/width/loops.h"

namespace vitrine::backend::cpu::VITRINE_WIDTH {

namespace {

typedef float Four __attribute__((vector_size(16), aligned(4), may_alias));

Four load_four(const float* from) { return *reinterpret_cast<const Four*>(from); }

/// to[c][r] = from[r][c] for four rows and columns.
void transpose_four(const float* from, std::int64_t from_stride, float* to, std::int64_t to_stride) {
    const Four a = load_four(from);
    const Four b = load_four(from + from_stride);
    const Four c = load_four(from + 2 * from_stride);
    const Four d = load_four(from + 3 * from_stride);
    const Four ab_low = __builtin_shufflevector(a, b, 0, 4, 1, 5);
    const Four ab_high = __builtin_shufflevector(a, b, 2, 6, 3, 7);
    const Four cd_low = __builtin_shufflevector(c, d, 0, 4, 1, 5);
    const Four cd_high = __builtin_shufflevector(c, d, 2, 6, 3, 7);
    *reinterpret_cast<Four*>(to) = __builtin_shufflevector(ab_low, cd_low, 0, 1, 4, 5);
    *reinterpret_cast<Four*>(to + to_stride) = __builtin_shufflevector(ab_low, cd_low, 2, 3, 6, 7);
    *reinterpret_cast<Four*>(to + 2 * to_stride) = __builtin_shufflevector(ab_high, cd_high, 0, 1, 4, 5);
    *reinterpret_cast<Four*>(to + 3 * to_stride) = __builtin_shufflevector(ab_high, cd_high, 2, 3, 6, 7);
}

template <typename S>
void transpose_each(const S* from, std::int64_t from_stride, std::int64_t rows, std::int64_t columns, S* to,
                    std::int64_t to_stride) {
    for (std::int64_t c = 0; c < columns; ++c)
        for (std::int64_t r = 0; r < rows; ++r)
            to[c * to_stride + r] = from[r * from_stride + c];
}

} // namespace

template <>
void transpose(const float* from, std::int64_t from_stride, std::int64_t rows, std::int64_t columns,
               float* to, std::int64_t to_stride) {
    // Sixteen rows at a time, so that what is written comes in whole cache lines.
    const std::int64_t whole_columns = columns / 4 * 4;
    std::int64_t r = 0;
    for (; r + 16 <= rows; r += 16) {
        for (std::int64_t c = 0; c < whole_columns; c += 4)
            for (std::int64_t i = r; i < r + 16; i += 4)
                transpose_four(from + i * from_stride + c, from_stride, to + c * to_stride + i, to_stride);
    }
    transpose_each(from + whole_columns, from_stride, r, columns - whole_columns,
                   to + whole_columns * to_stride, to_stride);
    transpose_each(from + r * from_stride, from_stride, rows - r, columns, to + r, to_stride);
}

template <>
void transpose(const double* from, std::int64_t from_stride, std::int64_t rows, std::int64_t columns,
               double* to, std::int64_t to_stride) {
    transpose_each(from, from_stride, rows, columns, to, to_stride);
}

} // namespace vitrine::backend::cpu::VITRINE_WIDTH
