#pragma once
#include <filesystem>
#include <span>
#include <string_view>

#include "core/base/result.h"
#include "core/formats/tensor_files.h"

namespace vitrine::formats {

/// The tensors of a file that torch.save wrote, whose bytes are `file`; views point into it. Nothing of the
/// pickle is run (pickle.h). Tensors may be strided and share storages.
/// Errors: malformed; unsupported for files older than PyTorch 1.6, big endian, and pickles that ask for more
/// than tensors.
Result<std::vector<StoredTensor>> parse_torch_file(std::span<const std::byte> file,
                                                   std::string_view file_name);

/// One such file.
Result<TensorFiles> open_torch_file(const std::filesystem::path& file);

/// The shards that `index` (a pytorch_model.bin.index.json) lists.
Result<TensorFiles> open_torch_shards(const std::filesystem::path& index);

} // namespace vitrine::formats
