#pragma once
// Reads the pickles in which PyTorch keeps state dictionaries, and can build tensors and nothing else.
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/dtype.h"
#include "core/base/result.h"
#include "core/base/tensor.h"

namespace vitrine::formats {

/// A tensor as the pickle describes it; its elements are in the archive's entry data/STORAGE.
struct PickledTensor {
    std::string name;
    std::string storage;
    DType dtype = DType::f32;
    std::int64_t storage_elements = 0; ///< as claimed
    std::int64_t offset = 0;           ///< in elements
    Shape shape;
    Shape strides; ///< in elements
};

/// The tensors of a pickled dictionary (dict or OrderedDict), in its order. Entries that are no tensors are
/// left out. A pickle is a program: this interpreter knows the instructions that make numbers, texts, tuples,
/// lists and dictionaries, and of all Python functions only the ones that rebuild tensors; it runs nothing.
/// Errors: unsupported, naming the global or the instruction, for a pickle that asks for anything else;
/// malformed.
Result<std::vector<PickledTensor>> unpickle_tensors(std::span<const std::byte> pickle,
                                                    std::string_view file_name);

} // namespace vitrine::formats
