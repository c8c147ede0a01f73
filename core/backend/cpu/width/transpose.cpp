#include <utility>

#include "core/backend/cpu/width/loops.h"
#include "core/backend/cpu/width/vectors.h"

namespace vitrine::backend::cpu::VITRINE_WIDTH {

namespace {

// A register holds four columns of every fourth row; transposed within each group of four lanes, four such
// registers give four columns of as many rows as a register has lanes.
constexpr int lanes = VectorOf<float>::lanes;

typedef float Four __attribute__((vector_size(16), aligned(4), may_alias));

Four load_four(const float* from) { return *reinterpret_cast<const Four*>(from); }

#if defined(__AVX2__)
typedef float Eight __attribute__((vector_size(32)));

Eight load_eight(const float* from, std::int64_t stride) {
    return __builtin_shufflevector(load_four(from), load_four(from + 4 * stride), 0, 1, 2, 3, 4, 5, 6, 7);
}
#endif

Vector<float> load_groups(const float* from, [[maybe_unused]] std::int64_t stride) {
#if defined(__AVX512F__)
    return __builtin_shufflevector(load_eight(from, stride), load_eight(from + 8 * stride, stride), 0, 1, 2,
                                   3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
#elif defined(__AVX2__)
    return load_eight(from, stride);
#else
    return load_four(from);
#endif
}

/// In each group of four lanes: lanes i and j of a, then lanes i and j of b; with `interleave` a_i b_i a_j
/// b_j.
template <int i, int j, bool interleave, int... Lane>
Vector<float> pick(Vector<float> a, Vector<float> b, std::integer_sequence<int, Lane...> /*lanes*/) {
    const auto source = [](int lane) {
        const int place = lane % 4;
        const bool of_b = interleave ? place % 2 == 1 : place >= 2;
        const bool second = interleave ? place >= 2 : place % 2 == 1;
        return lane / 4 * 4 + (second ? j : i) + (of_b ? lanes : 0);
    };
    return __builtin_shufflevector(a, b, source(Lane)...);
}
template <int i, int j, bool interleave>
Vector<float> pick(Vector<float> a, Vector<float> b) {
    return pick<i, j, interleave>(a, b, std::make_integer_sequence<int, lanes>());
}

/// to[c][r] = from[r][c] for `lanes` rows and four columns.
void transpose_columns(const float* from, std::int64_t from_stride, float* to, std::int64_t to_stride) {
    const Vector<float> a = load_groups(from, from_stride);
    const Vector<float> b = load_groups(from + from_stride, from_stride);
    const Vector<float> c = load_groups(from + 2 * from_stride, from_stride);
    const Vector<float> d = load_groups(from + 3 * from_stride, from_stride);
    const Vector<float> ab_low = pick<0, 1, true>(a, b); // a0 b0 a1 b1
    const Vector<float> ab_high = pick<2, 3, true>(a, b);
    const Vector<float> cd_low = pick<0, 1, true>(c, d);
    const Vector<float> cd_high = pick<2, 3, true>(c, d);
    store(to, pick<0, 1, false>(ab_low, cd_low)); // a0 b0 c0 d0
    store(to + to_stride, pick<2, 3, false>(ab_low, cd_low));
    store(to + 2 * to_stride, pick<0, 1, false>(ab_high, cd_high));
    store(to + 3 * to_stride, pick<2, 3, false>(ab_high, cd_high));
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
    const std::int64_t whole_columns = columns / 4 * 4;
    std::int64_t r = 0;
    for (; r + lanes <= rows; r += lanes)
        for (std::int64_t c = 0; c < whole_columns; c += 4)
            transpose_columns(from + r * from_stride + c, from_stride, to + c * to_stride + r, to_stride);
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
