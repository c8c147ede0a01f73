#include "core/base/quantized.h"

#include <algorithm>
#include <cstring>

#include "core/base/quantized_blocks.h"

namespace vitrine {

void dequantize(DType dtype, const std::byte* source, std::span<float> out) {
    const blocks::Widen widen_block = blocks::widen_of(dtype);
    if (widen_block == nullptr) return;
    const auto elements = static_cast<std::size_t>(block_elements(dtype));
    const auto* block = reinterpret_cast<const std::uint8_t*>(source);
    for (; out.size() >= elements; out = out.subspan(elements), block += block_bytes(dtype))
        widen_block(block, out.data());
    if (out.empty()) return;
    float last[blocks::most_elements];
    widen_block(block, last);
    std::copy(last, last + out.size(), out.data());
}

namespace {

bool finite_half(const std::uint8_t* bytes) {
    return (bytes[1] & 0x7CU) != 0x7CU; // the exponent's five bits
}

} // namespace

bool finite_blocks(DType dtype, const std::byte* source, std::int64_t count) {
    // Where the halves of a block lie; the second equals the first where there is one only.
    std::size_t first = 0;
    std::size_t second = 0;
    switch (dtype) {
    case DType::q4_1:
    case DType::q5_1:
    case DType::q4_k:
    case DType::q5_k:
        second = 2;
        break;
    case DType::q2_k:
        first = 80;
        second = 82;
        break;
    case DType::q3_k:
        first = second = 108;
        break;
    case DType::q6_k:
        first = second = 208;
        break;
    default:
        break;
    }
    const std::int64_t number = (count + block_elements(dtype) - 1) / block_elements(dtype);
    const auto* block = reinterpret_cast<const std::uint8_t*>(source);
    bool good = true;
    for (std::int64_t i = 0; i < number; ++i, block += block_bytes(dtype))
        good &= finite_half(block + first) && finite_half(block + second);
    return good;
}

namespace {

/// Whether all of `count` stored elements are finite: in every format, unless the exponent is all ones.
template <typename Bits>
bool finite_bits(const std::byte* data, std::int64_t count, Bits exponent) {
    bool bad = false;
    for (std::int64_t i = 0; i < count; ++i) {
        Bits bits;
        std::memcpy(&bits, data + i * static_cast<std::int64_t>(sizeof(Bits)), sizeof(Bits));
        bad |= (bits & exponent) == exponent;
    }
    return !bad;
}

} // namespace

bool finite_elements(DType dtype, const std::byte* data, std::int64_t count) {
    switch (dtype) {
    case DType::f16:
        return finite_bits<std::uint16_t>(data, count, 0x7C00);
    case DType::bf16:
        return finite_bits<std::uint16_t>(data, count, 0x7F80);
    case DType::f32:
        return finite_bits<std::uint32_t>(data, count, 0x7F800000U);
    case DType::f64:
        return finite_bits<std::uint64_t>(data, count, 0x7FF0000000000000U);
    default:
        return !in_blocks(dtype) || finite_blocks(dtype, data, count);
    }
}

} // namespace vitrine
