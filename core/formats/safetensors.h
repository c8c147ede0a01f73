#pragma once
#include <filesystem>

#include "core/base/result.h"
#include "core/formats/tensor_files.h"

namespace vitrine::formats {

/// One safetensors file.
Result<TensorFiles> open_safetensors(const std::filesystem::path& file);

/// The shards that `index` (a model.safetensors.index.json) lists, with the tensors that it names.
Result<TensorFiles> open_safetensors_shards(const std::filesystem::path& index);

} // namespace vitrine::formats
