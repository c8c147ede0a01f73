#pragma once
// Element types of stored tensors, and their widening to float32.
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

namespace vitrine {

enum class DType : std::uint8_t {
    f32,
    f16,
    bf16,
    f64,
    i8,
    u8,
    i16,
    i32,
    i64,
    boolean,
    // GGUF's blocks of 32 elements
    q4_0,
    q4_1,
    q5_0,
    q5_1,
    q8_0,
    // and of 256
    q2_k,
    q3_k,
    q4_k,
    q5_k,
    q6_k,
};

/// Bytes of one element; 0 for types whose elements are stored in blocks.
std::size_t dtype_size(DType dtype);

/// Elements that are stored together: 1, or the 32 or 256 of a block.
std::int64_t block_elements(DType dtype);
/// Bytes of these.
std::size_t block_bytes(DType dtype);
inline bool in_blocks(DType dtype) { return block_elements(dtype) > 1; }

/// Bytes of `count` elements, which begin and end with a block.
inline std::size_t stored_bytes(DType dtype, std::int64_t count) {
    return static_cast<std::size_t>(count / block_elements(dtype)) * block_bytes(dtype);
}

/// "float32", "bfloat16", … the names of numpy and PyTorch; "Q4_K", … those of GGUF.
std::string_view dtype_name(DType dtype);

float half_to_float(std::uint16_t bits);
std::uint16_t float_to_half(float value); ///< rounds to nearest even
float bfloat_to_float(std::uint16_t bits);
std::uint16_t float_to_bfloat(float value); ///< rounds to nearest even

/// Widens the first out.size() elements at `source` (any alignment; the start of a block) to float32;
/// integers are converted by value.
void widen(DType dtype, const std::byte* source, std::span<float> out);

} // namespace vitrine
