#pragma once
#include <cstddef>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/result.h"
#include "core/base/tensor.h"

namespace vitrine::formats {

/// An array as numpy stores it: little endian, C order.
struct NpyArray {
    DType dtype = DType::f32;
    Shape shape;
    std::vector<std::byte> bytes;

    TensorView view() const { return {bytes.data(), dtype, shape}; }
    Tensor to_float() const; ///< widened or rounded to float32
};

/// The bytes of a .npy file, format version 1, 2 or 3. `file_name` stands in the error sentences.
/// Errors: malformed; unsupported for Fortran order, big endian and types not in DType.
Result<NpyArray> parse_npy(std::span<const std::byte> file, std::string_view file_name);
Result<NpyArray> read_npy(const std::filesystem::path& path);

/// The same bytes as numpy.save writes (version 1). unsupported: bfloat16, which numpy does not have.
Result<std::string> npy_bytes(const TensorView& array);
Status write_npy(const std::filesystem::path& path, const TensorView& array);

} // namespace vitrine::formats
