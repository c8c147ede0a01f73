#pragma once
// The definitions of GGUF's quantised blocks, one function a type, from one block to float32. Everything here
// is static: it is compiled once for each vector width, and each keeps its own.
//
// Must be compiled with -ffp-contract=off: the formats round after each step. And with -Wno-psabi: vectors
// wider than the processor's are handed from function to function, but never to another source.
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <type_traits>

#include "core/base/dtype.h"

#if defined(__F16C__)
#include <immintrin.h>
#endif

namespace vitrine::blocks {

static inline float half_at(const std::uint8_t* bytes) {
    std::uint16_t bits = 0;
    std::memcpy(&bits, bytes, sizeof bits);
#if defined(__F16C__)
    return _cvtsh_ss(bits);
#else
    return half_to_float(bits);
#endif
}

// Sixteen elements at a time, in the compiler's own vectors: left to itself it takes them one by one here.
typedef std::int32_t Numbers __attribute__((vector_size(64)));
typedef float Sixteen __attribute__((vector_size(64), aligned(4), may_alias));

#if defined(__AVX512F__)
static inline __m128i load_bytes(const std::uint8_t* bytes) {
    return _mm_loadu_si128(reinterpret_cast<const __m128i*>(bytes));
}
static inline Numbers bytes_at(const std::uint8_t* bytes) {
    return reinterpret_cast<Numbers>(_mm512_cvtepu8_epi32(load_bytes(bytes)));
}
static inline Numbers signed_bytes_at(const std::uint8_t* bytes) {
    return reinterpret_cast<Numbers>(_mm512_cvtepi8_epi32(load_bytes(bytes)));
}
#else
template <typename Byte>
static inline Numbers widen_bytes(const std::uint8_t* bytes) {
    typedef Byte Bytes __attribute__((vector_size(16)));
    typedef std::conditional_t<std::is_signed_v<Byte>, std::int16_t, std::uint16_t> Short;
    typedef Short Shorts __attribute__((vector_size(32)));
    Bytes loaded;
    std::memcpy(&loaded, bytes, sizeof loaded);
    return __builtin_convertvector(__builtin_convertvector(loaded, Shorts),
                                   Numbers); // in one step it is slow
}
static inline Numbers bytes_at(const std::uint8_t* bytes) { return widen_bytes<std::uint8_t>(bytes); }
static inline Numbers signed_bytes_at(const std::uint8_t* bytes) { return widen_bytes<std::int8_t>(bytes); }
#endif

/// out[i] = scale · q[i] + offset
static inline void put(const Numbers& q, float scale, float offset, float* out) {
    *reinterpret_cast<Sixteen*>(out) = __builtin_convertvector(q, Sixteen) * scale + offset;
}
static inline void put(const Numbers& q, float scale, float* out) {
    *reinterpret_cast<Sixteen*>(out) = __builtin_convertvector(q, Sixteen) * scale;
}

/// half d; 16 bytes: element i is a low half-byte, element i + 16 the high one.
static inline void q4_0(const std::uint8_t* block, float* out) {
    const float d = half_at(block);
    const Numbers q = bytes_at(block + 2);
    put((q & 15) - 8, d, out);
    put((q >> 4) - 8, d, out + 16);
}

/// half d, half m; 16 bytes as in Q4_0.
static inline void q4_1(const std::uint8_t* block, float* out) {
    const float d = half_at(block);
    const float m = half_at(block + 2);
    const Numbers q = bytes_at(block + 4);
    put(q & 15, d, m, out);
    put(q >> 4, d, m, out + 16);
}

/// The fifth bits of sixteen elements: bits first … first + 15 of four bytes, each as 0 or 16.
static inline Numbers fifth_bits(const std::uint8_t* bytes, int first) {
    constexpr Numbers place{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};
    std::uint32_t bits = 0;
    std::memcpy(&bits, bytes, sizeof bits);
    const Numbers all = Numbers{} + static_cast<std::int32_t>(bits >> first & 0xFFFFU);
    return (all >> place & 1) << 4;
}

/// half d; 4 bytes of high bits; 16 bytes of low ones.
static inline void q5_0(const std::uint8_t* block, float* out) {
    const float d = half_at(block);
    const Numbers q = bytes_at(block + 6);
    put(((q & 15) | fifth_bits(block + 2, 0)) - 16, d, out);
    put(((q >> 4) | fifth_bits(block + 2, 16)) - 16, d, out + 16);
}

/// half d, half m; bits as in Q5_0.
static inline void q5_1(const std::uint8_t* block, float* out) {
    const float d = half_at(block);
    const float m = half_at(block + 2);
    const Numbers q = bytes_at(block + 8);
    put((q & 15) | fifth_bits(block + 4, 0), d, m, out);
    put((q >> 4) | fifth_bits(block + 4, 16), d, m, out + 16);
}

/// half d; 32 signed bytes.
static inline void q8_0(const std::uint8_t* block, float* out) {
    const float d = half_at(block);
    put(signed_bytes_at(block + 2), d, out);
    put(signed_bytes_at(block + 18), d, out + 16);
}

/// 16 bytes: scale and minimum of each 16 elements, four bits each; 64 bytes of two-bit numbers; half d, half
/// dmin. Bits 2s of bytes 32h … belong to elements 128h + 32s ….
static inline void q2_k(const std::uint8_t* block, float* out) {
    const std::uint8_t* q = block + 16;
    const float d = half_at(block + 80);
    const float dmin = half_at(block + 82);
    for (int part = 0; part < 16; ++part) { // of 16 elements
        const float scale = d * static_cast<float>(block[part] & 15);
        const float minimum = dmin * static_cast<float>(block[part] >> 4);
        const Numbers from = bytes_at(q + part / 8 * 32 + part % 2 * 16);
        put(from >> (part / 2 % 4 * 2) & 3, scale, -minimum, out + 16 * part);
    }
}

/// 32 bytes: a bit that is clear means 4 less; 64 bytes of two-bit numbers as in Q2_K; 12 bytes: 16 scales of
/// six bits, 32 too large; half d.
static inline void q3_k(const std::uint8_t* block, float* out) {
    const std::uint8_t* q = block + 32;
    const std::uint8_t* scales = block + 96;
    const float d = half_at(block + 108);
    for (int part = 0; part < 16; ++part) {
        const int low = part < 8 ? scales[part] & 15 : scales[part - 8] >> 4;
        const int high = (scales[8 + part % 4] >> (part / 4 * 2)) & 3;
        const float scale = d * static_cast<float>((low | high << 4) - 32);
        const Numbers from = bytes_at(q + part / 8 * 32 + part % 2 * 16);
        const Numbers mask = bytes_at(block + part % 2 * 16);
        put((from >> (part / 2 % 4 * 2) & 3) - (~mask >> (part / 2) & 1) * 4, scale, out + 16 * part);
    }
}

/// The six-bit scale and minimum of each 32 elements in Q4_K and Q5_K, from 12 bytes.
static inline void scale_and_minimum(const std::uint8_t* packed, int part, int& scale, int& minimum) {
    if (part < 4) {
        scale = packed[part] & 63;
        minimum = packed[part + 4] & 63;
    } else {
        scale = (packed[part + 4] & 15) | (packed[part - 4] >> 6) << 4;
        minimum = (packed[part + 4] >> 4) | (packed[part] >> 6) << 4;
    }
}

/// half d, half dmin; 12 bytes of scales and minima; 128 bytes: half-byte n of bytes 32j … belongs to
/// elements 64j + 32n ….
static inline void q4_k(const std::uint8_t* block, float* out) {
    const float d = half_at(block);
    const float dmin = half_at(block + 2);
    const std::uint8_t* q = block + 16;
    for (int part = 0; part < 8; ++part) { // of 32 elements
        int six_bits = 0;
        int six_bits_min = 0;
        scale_and_minimum(block + 4, part, six_bits, six_bits_min);
        const float scale = d * static_cast<float>(six_bits);
        const float minimum = dmin * static_cast<float>(six_bits_min);
        for (int half = 0; half < 32; half += 16) {
            const Numbers from = bytes_at(q + part / 2 * 32 + half);
            put(from >> (part % 2 * 4) & 15, scale, -minimum, out + 32 * part + half);
        }
    }
}

/// half d, half dmin; 12 bytes of scales and minima; 32 bytes: bit b belongs to elements 32b …; 128 bytes as
/// in Q4_K.
static inline void q5_k(const std::uint8_t* block, float* out) {
    const float d = half_at(block);
    const float dmin = half_at(block + 2);
    const std::uint8_t* high = block + 16;
    const std::uint8_t* q = block + 48;
    for (int part = 0; part < 8; ++part) {
        int six_bits = 0;
        int six_bits_min = 0;
        scale_and_minimum(block + 4, part, six_bits, six_bits_min);
        const float scale = d * static_cast<float>(six_bits);
        const float minimum = dmin * static_cast<float>(six_bits_min);
        for (int half = 0; half < 32; half += 16) {
            const Numbers low = bytes_at(q + part / 2 * 32 + half) >> (part % 2 * 4) & 15;
            const Numbers top = bytes_at(high + half) >> part & 1;
            put(low | top << 4, scale, -minimum, out + 32 * part + half);
        }
    }
}

/// 128 bytes: half-byte n of bytes 64h … belongs to elements 128h + 64n …; 64 bytes of two high bits as in
/// Q2_K; 16 signed scales, one for each 16 elements; half d. The numbers are 32 too large.
static inline void q6_k(const std::uint8_t* block, float* out) {
    const std::uint8_t* high = block + 128;
    const std::uint8_t* scales = block + 192;
    const float d = half_at(block + 208);
    for (int part = 0; part < 16; ++part) {
        const float scale = d * static_cast<float>(static_cast<std::int8_t>(scales[part]));
        const Numbers low = bytes_at(block + part / 8 * 64 + part % 4 * 16) >> (part / 4 % 2 * 4) & 15;
        const Numbers top = bytes_at(high + part / 8 * 32 + part % 2 * 16) >> (part / 2 % 4 * 2) & 3;
        put((low | top << 4) - 32, scale, out + 16 * part);
    }
}

/// Largest block.
constexpr std::int64_t most_elements = 256;

using Widen = void (*)(const std::uint8_t* block, float* out);

/// One block of that type, or nullptr if its elements are not in blocks.
static inline Widen widen_of(DType dtype) {
    switch (dtype) {
    case DType::q4_0:
        return q4_0;
    case DType::q4_1:
        return q4_1;
    case DType::q5_0:
        return q5_0;
    case DType::q5_1:
        return q5_1;
    case DType::q8_0:
        return q8_0;
    case DType::q2_k:
        return q2_k;
    case DType::q3_k:
        return q3_k;
    case DType::q4_k:
        return q4_k;
    case DType::q5_k:
        return q5_k;
    case DType::q6_k:
        return q6_k;
    default:
        return nullptr;
    }
}

} // namespace vitrine::blocks
