#pragma once
#include <cstddef>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/mapped_file.h"
#include "core/base/result.h"
#include "core/base/tensor.h"

namespace vitrine::formats {

/// A tensor in a mapped file. The view's bytes may be unaligned for their type (widen() does not mind).
struct StoredTensor {
    std::string name;
    TensorView view;
    std::size_t file = 0; ///< index into TensorFiles::files()
};

/// The tensors of one safetensors file, or of a folder with model.safetensors or with shards listed in
/// model.safetensors.index.json. Files are mapped, not read; views live as long as this object.
class TensorFiles {
public:
    /// not_found: nothing there, or a shard is missing; malformed: lying header or index;
    /// unsupported: an element type that Vitrine does not read.
    static Result<TensorFiles> open(const std::filesystem::path& file_or_folder);

    /// Sorted by name.
    const std::vector<StoredTensor>& tensors() const { return tensors_; }

    /// nullptr if there is no tensor of that name.
    const StoredTensor* find(std::string_view name) const;

    const std::vector<MappedFile>& files() const { return files_; }

    /// Gives the mapped pages of a tensor back to the system, say after its upload.
    void drop(const TensorView& view) const;

private:
    std::vector<MappedFile> files_;
    std::vector<StoredTensor> tensors_;
};

} // namespace vitrine::formats
