#pragma once
// GGUF's quantised blocks: what they stand for, and whether their scales are numbers.
#include <cstddef>
#include <cstdint>
#include <span>

#include "core/base/dtype.h"

namespace vitrine {

/// Widens the first out.size() elements of the blocks at `source` to float32, bit for bit as the formats
/// define them: each element is scale · q, or scale · q + offset, every step rounded to float32.
void dequantize(DType dtype, const std::byte* source, std::span<float> out);

/// Whether the scales and offsets of `count` elements are finite: then all elements are.
bool finite_blocks(DType dtype, const std::byte* source, std::int64_t count);

/// Whether `count` stored floating-point elements of any type, blocks or not, are all finite.
bool finite_elements(DType dtype, const std::byte* source, std::int64_t count);

} // namespace vitrine
