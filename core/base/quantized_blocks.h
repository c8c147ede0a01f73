#pragma once
// The definitions of GGUF's quantised blocks, one function a type, from one block to float32. Everything here
// is static: it is compiled once for each vector width, and each keeps its own.
//
// Must be compiled without contraction of a · b + c: the formats round after each step.
#include <cstddef>
#include <cstdint>
#include <cstring>

#include "core/base/dtype.h"

namespace vitrine::blocks {

static inline float half_at(const std::uint8_t* bytes) {
    std::uint16_t bits = 0;
    std::memcpy(&bits, bytes, sizeof bits);
    return half_to_float(bits);
}

/// half d; 16 bytes: element i is a low half-byte, element i + 16 the high one.
static inline void q4_0(const std::uint8_t* block, float* out) {
    const float d = half_at(block);
    const std::uint8_t* q = block + 2;
    for (int i = 0; i < 16; ++i)
        out[i] = d * static_cast<float>((q[i] & 15) - 8);
    for (int i = 0; i < 16; ++i)
        out[16 + i] = d * static_cast<float>((q[i] >> 4) - 8);
}

/// half d, half m; 16 bytes as in Q4_0.
static inline void q4_1(const std::uint8_t* block, float* out) {
    const float d = half_at(block);
    const float m = half_at(block + 2);
    const std::uint8_t* q = block + 4;
    for (int i = 0; i < 16; ++i)
        out[i] = d * static_cast<float>(q[i] & 15) + m;
    for (int i = 0; i < 16; ++i)
        out[16 + i] = d * static_cast<float>(q[i] >> 4) + m;
}

/// The fifth bits of 32 elements and their low four, as numbers 0 … 31.
static inline void five_bits(const std::uint8_t* high, const std::uint8_t* low, int* out) {
    std::uint32_t bits = 0;
    std::memcpy(&bits, high, sizeof bits);
    for (int i = 0; i < 16; ++i)
        out[i] = (low[i] & 15) | static_cast<int>(bits >> i & 1U) << 4;
    for (int i = 0; i < 16; ++i)
        out[16 + i] = (low[i] >> 4) | static_cast<int>(bits >> (16 + i) & 1U) << 4;
}

/// half d; 4 bytes of high bits; 16 bytes of low ones.
static inline void q5_0(const std::uint8_t* block, float* out) {
    const float d = half_at(block);
    int q[32];
    five_bits(block + 2, block + 6, q);
    for (int i = 0; i < 32; ++i)
        out[i] = d * static_cast<float>(q[i] - 16);
}

/// half d, half m; bits as in Q5_0.
static inline void q5_1(const std::uint8_t* block, float* out) {
    const float d = half_at(block);
    const float m = half_at(block + 2);
    int q[32];
    five_bits(block + 4, block + 8, q);
    for (int i = 0; i < 32; ++i)
        out[i] = d * static_cast<float>(q[i]) + m;
}

/// half d; 32 signed bytes.
static inline void q8_0(const std::uint8_t* block, float* out) {
    const float d = half_at(block);
    const std::uint8_t* q = block + 2;
    for (int i = 0; i < 32; ++i)
        out[i] = d * static_cast<float>(static_cast<std::int8_t>(q[i]));
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
        const std::uint8_t* from = q + part / 8 * 32 + part % 2 * 16;
        const int shift = part / 2 % 4 * 2;
        for (int i = 0; i < 16; ++i)
            out[16 * part + i] = scale * static_cast<float>((from[i] >> shift) & 3) - minimum;
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
        const std::uint8_t* from = q + part / 8 * 32 + part % 2 * 16;
        const std::uint8_t* mask = block + part % 2 * 16;
        const int shift = part / 2 % 4 * 2;
        const int bit = part / 2;
        for (int i = 0; i < 16; ++i)
            out[16 * part + i] =
                scale * static_cast<float>(((from[i] >> shift) & 3) - (~mask[i] >> bit & 1) * 4);
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
        const std::uint8_t* from = q + part / 2 * 32;
        const int shift = part % 2 * 4;
        for (int i = 0; i < 32; ++i)
            out[32 * part + i] = scale * static_cast<float>((from[i] >> shift) & 15) - minimum;
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
        const std::uint8_t* from = q + part / 2 * 32;
        const int shift = part % 2 * 4;
        for (int i = 0; i < 32; ++i)
            out[32 * part + i] =
                scale * static_cast<float>(((from[i] >> shift) & 15) | ((high[i] >> part) & 1) << 4) -
                minimum;
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
        const std::uint8_t* low = block + part / 8 * 64 + part % 4 * 16;
        const std::uint8_t* top = high + part / 8 * 32 + part % 2 * 16;
        const int low_shift = part / 4 % 2 * 4;
        const int top_shift = part / 2 % 4 * 2;
        for (int i = 0; i < 16; ++i)
            out[16 * part + i] =
                scale *
                static_cast<float>((((low[i] >> low_shift) & 15) | ((top[i] >> top_shift) & 3) << 4) - 32);
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
