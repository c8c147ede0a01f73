#pragma once
#include <filesystem>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "core/base/result.h"
#include "core/formats/tensor_files.h"

namespace vitrine::formats {

/// A file of a model and all of its tensors, `file` of each being 0.
struct Shard {
    MappedFile file;
    std::vector<StoredTensor> tensors;
};

/// The tensors that an index ("weight_map": tensor name → file name) lists, each from its shard.
/// not_found: a shard is missing; malformed: the index names a file outside of its folder, or a tensor that
/// its shard does not have.
Result<TensorFiles> open_shards(const std::filesystem::path& index, const std::string& format,
                                const std::function<Result<Shard>(const std::filesystem::path&)>& open_shard);

} // namespace vitrine::formats
