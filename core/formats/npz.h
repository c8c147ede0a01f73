#pragma once
#include <filesystem>
#include <map>
#include <span>
#include <string>

#include "core/base/result.h"
#include "core/base/tensor.h"
#include "core/formats/npy.h"

namespace vitrine::formats {

struct NamedView {
    std::string name; ///< without ".npy"
    TensorView view;
};

/// A .npz as numpy.savez writes it: a zip of stored .npy files. The same arrays give the same bytes; the file
/// appears when it is complete. Errors: io; unsupported for bfloat16.
Status write_npz(const std::filesystem::path& path, std::span<const NamedView> arrays);

/// All arrays of a .npz, compressed or stored, by name. Errors: not_found, malformed, unsupported.
Result<std::map<std::string, NpyArray>> read_npz(const std::filesystem::path& path);

} // namespace vitrine::formats
