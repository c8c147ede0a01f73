#include "core/base/dtype.h"

#include <bit>
#include <cassert>
#include <cstring>

#include <Eigen/Core>

#include "core/base/quantized.h"

namespace vitrine {

std::size_t dtype_size(DType dtype) {
    switch (dtype) {
    case DType::f64:
    case DType::i64:
        return 8;
    case DType::f32:
    case DType::i32:
        return 4;
    case DType::f16:
    case DType::bf16:
    case DType::i16:
        return 2;
    case DType::i8:
    case DType::u8:
    case DType::boolean:
        return 1;
    default:
        assert(!"an element of a block has no size of its own: block_bytes, stored_bytes");
        return 0;
    }
}

std::int64_t block_elements(DType dtype) {
    switch (dtype) {
    case DType::q4_0:
    case DType::q4_1:
    case DType::q5_0:
    case DType::q5_1:
    case DType::q8_0:
        return 32;
    case DType::q2_k:
    case DType::q3_k:
    case DType::q4_k:
    case DType::q5_k:
    case DType::q6_k:
        return 256;
    default:
        return 1;
    }
}

std::size_t block_bytes(DType dtype) {
    switch (dtype) {
    case DType::q4_0:
        return 18;
    case DType::q4_1:
        return 20;
    case DType::q5_0:
        return 22;
    case DType::q5_1:
        return 24;
    case DType::q8_0:
        return 34;
    case DType::q2_k:
        return 84;
    case DType::q3_k:
        return 110;
    case DType::q4_k:
        return 144;
    case DType::q5_k:
        return 176;
    case DType::q6_k:
        return 210;
    default:
        return dtype_size(dtype);
    }
}

std::string_view dtype_name(DType dtype) {
    switch (dtype) {
    case DType::f32:
        return "float32";
    case DType::f16:
        return "float16";
    case DType::bf16:
        return "bfloat16";
    case DType::f64:
        return "float64";
    case DType::i8:
        return "int8";
    case DType::u8:
        return "uint8";
    case DType::i16:
        return "int16";
    case DType::i32:
        return "int32";
    case DType::i64:
        return "int64";
    case DType::boolean:
        return "bool";
    case DType::q4_0:
        return "Q4_0";
    case DType::q4_1:
        return "Q4_1";
    case DType::q5_0:
        return "Q5_0";
    case DType::q5_1:
        return "Q5_1";
    case DType::q8_0:
        return "Q8_0";
    case DType::q2_k:
        return "Q2_K";
    case DType::q3_k:
        return "Q3_K";
    case DType::q4_k:
        return "Q4_K";
    case DType::q5_k:
        return "Q5_K";
    case DType::q6_k:
        return "Q6_K";
    }
    return "?";
}

float half_to_float(std::uint16_t bits) { return static_cast<float>(std::bit_cast<Eigen::half>(bits)); }
std::uint16_t float_to_half(float value) { return std::bit_cast<std::uint16_t>(Eigen::half(value)); }
float bfloat_to_float(std::uint16_t bits) {
    return std::bit_cast<float>(static_cast<std::uint32_t>(bits) << 16);
}
std::uint16_t float_to_bfloat(float value) { return std::bit_cast<std::uint16_t>(Eigen::bfloat16(value)); }

namespace {

template <typename Stored, typename Convert>
void widen_each(const std::byte* source, std::span<float> out, Convert convert) {
    for (std::size_t i = 0; i < out.size(); ++i) {
        Stored element;
        std::memcpy(&element, source + i * sizeof(Stored), sizeof(Stored));
        out[i] = convert(element);
    }
}

} // namespace

void widen(DType dtype, const std::byte* source, std::span<float> out) {
    const auto by_value = [](auto element) { return static_cast<float>(element); };
    switch (dtype) {
    case DType::f32:
        if (!out.empty()) std::memcpy(out.data(), source, out.size_bytes());
        return;
    case DType::f16:
        return widen_each<std::uint16_t>(source, out, half_to_float);
    case DType::bf16:
        return widen_each<std::uint16_t>(source, out, bfloat_to_float);
    case DType::f64:
        return widen_each<double>(source, out, by_value);
    case DType::i8:
        return widen_each<std::int8_t>(source, out, by_value);
    case DType::boolean:
    case DType::u8:
        return widen_each<std::uint8_t>(source, out, by_value);
    case DType::i16:
        return widen_each<std::int16_t>(source, out, by_value);
    case DType::i32:
        return widen_each<std::int32_t>(source, out, by_value);
    case DType::i64:
        return widen_each<std::int64_t>(source, out, by_value);
    default:
        return dequantize(dtype, source, out);
    }
}

} // namespace vitrine
