#pragma once
// Element types of stored tensors, and their widening to float32.
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

namespace vitrine {

enum class DType : std::uint8_t { f32, f16, bf16, f64, i8, u8, i16, i32, i64, boolean };

/// Bytes of one element.
std::size_t dtype_size(DType dtype);

/// "float32", "bfloat16", … the names of numpy and PyTorch.
std::string_view dtype_name(DType dtype);

float half_to_float(std::uint16_t bits);
std::uint16_t float_to_half(float value); ///< rounds to nearest even
float bfloat_to_float(std::uint16_t bits);
std::uint16_t float_to_bfloat(float value); ///< rounds to nearest even

/// Widens `count` elements at `source` (any alignment) to float32; integers are converted by value.
void widen(DType dtype, const std::byte* source, std::span<float> out);

} // namespace vitrine
