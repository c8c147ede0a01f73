#pragma once
#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/result.h"
#include "core/base/tensor.h"

namespace vitrine::formats {

/// One tensor as the header of a safetensors file describes it; its bytes are file[begin, end).
struct HeaderTensor {
    std::string name;
    DType dtype = DType::f32;
    Shape shape;
    std::size_t begin = 0;
    std::size_t end = 0;
};

/// Reads and checks the header of a whole safetensors file: eight bytes of length, JSON, data.
/// Follows the format's own rules: no duplicate names, no overlaps, no holes, no bytes left over; a tensor
/// has exactly the bytes that its shape needs. `file_name` stands in the error sentences. Returned in the
/// order of the data. Errors: malformed; unsupported for an element type not in DType.
Result<std::vector<HeaderTensor>> parse_safetensors_header(std::span<const std::byte> file,
                                                           std::string_view file_name);

} // namespace vitrine::formats
