// Bringing rows of X into tiles, and stored elements into S.
#include "core/backend/cpu/width/loops.h"

#include "core/backend/cpu/width/vectors.h"

#if defined(__F16C__)
#include <immintrin.h>
#endif

namespace vitrine::backend::cpu::VITRINE_WIDTH {

namespace {

template <typename S, int Rows>
void pack_rows(const S* x, std::int64_t stride, std::int64_t inner, S* out) {
    // Eight steps at a time: each row's cache line is read in one go.
    std::int64_t k = 0;
    for (; k + 8 <= inner; k += 8)
        for (int r = 0; r < Rows; ++r)
            for (int i = 0; i < 8; ++i)
                out[(k + i) * Rows + r] = x[r * stride + k + i];
    for (; k < inner; ++k)
        for (int r = 0; r < Rows; ++r)
            out[k * Rows + r] = x[r * stride + k];
}

template <typename From, typename S>
void convert(const std::byte* in, std::int64_t count, S* out) {
    const auto* from = reinterpret_cast<const From*>(in);
    for (std::int64_t i = 0; i < count; ++i)
        out[i] = static_cast<S>(from[i]);
}

float bfloat(std::uint16_t bits) {
    const std::uint32_t wide = static_cast<std::uint32_t>(bits) << 16;
    float value = 0;
    __builtin_memcpy(&value, &wide, sizeof(value));
    return value;
}

template <typename S>
void widen_bfloats(const std::byte* in, std::int64_t count, S* out) {
    const auto* from = reinterpret_cast<const std::uint16_t*>(in);
    for (std::int64_t i = 0; i < count; ++i)
        out[i] = static_cast<S>(bfloat(from[i]));
}

template <typename S>
void widen_halves(const std::byte* in, std::int64_t count, S* out) {
    const auto* from = reinterpret_cast<const std::uint16_t*>(in);
    std::int64_t i = 0;
#if defined(__F16C__)
    for (; i + 8 <= count; i += 8) {
        float wide[8];
        const __m128i halves = _mm_loadu_si128(reinterpret_cast<const __m128i*>(from + i));
        _mm256_storeu_ps(wide, _mm256_cvtph_ps(halves));
        for (int j = 0; j < 8; ++j)
            out[i + j] = static_cast<S>(wide[j]);
    }
#endif
    for (; i < count; ++i)
        out[i] = static_cast<S>(half_to_float(from[i]));
}

} // namespace

template <typename S>
void pack_tile(const S* x, std::int64_t stride, int rows, std::int64_t inner, S* out) {
    switch (rows) {
    case 1:
        return pack_rows<S, 1>(x, stride, inner, out);
    case 6:
        return pack_rows<S, 6>(x, stride, inner, out);
    case 12:
        return pack_rows<S, 12>(x, stride, inner, out);
    default:
        break;
    }
    for (std::int64_t k = 0; k < inner; ++k)
        for (int r = 0; r < rows; ++r)
            out[k * rows + r] = x[r * stride + k];
}

template <typename S>
void widen(DType from, const std::byte* in, std::int64_t count, S* out) {
    switch (from) {
    case DType::f16:
        return widen_halves(in, count, out);
    case DType::bf16:
        return widen_bfloats(in, count, out);
    case DType::f64:
        return convert<double>(in, count, out);
    default:
        return convert<float>(in, count, out);
    }
}

template void pack_tile(const float*, std::int64_t, int, std::int64_t, float*);
template void pack_tile(const double*, std::int64_t, int, std::int64_t, double*);
template void widen(DType, const std::byte*, std::int64_t, float*);
template void widen(DType, const std::byte*, std::int64_t, double*);

} // namespace vitrine::backend::cpu::VITRINE_WIDTH
