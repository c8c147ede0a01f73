#pragma once
#include <filesystem>
#include <string>

#include "core/base/cancel.h"
#include "core/base/result.h"
#include "core/formats/tensor_files.h"

namespace vitrine::formats {

/// SHA-256 of a model's weights, 64 hexadecimal digits, independent of how tensors are split over files.
/// Fed, for each tensor in ascending byte order of names, all numbers as 8 bytes little endian:
///   length of the name, name, length of the type's name, type's name (dtype_name: "float16"),
///   number of axes, each axis, the stored bytes in row-major order.
/// Mapped pages are given back as it goes. Errors: cancelled.
Result<std::string> weights_hash(const TensorFiles& files, const CancelToken& cancel = {},
                                 const Progress& progress = {});

/// The same, remembered in `cache` under device, inode, size and modification time of every file; a cache
/// that cannot be written is no error.
Result<std::string> cached_weights_hash(const TensorFiles& files, const std::filesystem::path& cache,
                                        const CancelToken& cancel = {}, const Progress& progress = {});

/// $XDG_CACHE_HOME/vitrine/weights, by default in ~/.cache.
std::filesystem::path weights_cache_folder();

} // namespace vitrine::formats
