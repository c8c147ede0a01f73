#pragma once
// The tensors of a model's files, whatever their format: name, element type, shape, strides, bytes.
#include <cstddef>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/mapped_file.h"
#include "core/base/result.h"
#include "core/base/tensor.h"

namespace vitrine::formats {

/// A tensor in a mapped file. Its bytes may be unaligned for their type (widen() does not mind).
struct StoredTensor {
    std::string name;
    TensorView view;      ///< bytes() of it is meant only for tensors without strides
    std::size_t file = 0; ///< index into TensorFiles::files()
    Shape strides;        ///< in elements, an entry an axis; empty: row-major, one element after another

    bool contiguous() const { return strides.empty(); }
    /// Elements from one entry of an axis to the next.
    std::int64_t stride(std::size_t axis) const;
};

/// The tensors of one file, or of all files of a model. Files are mapped, not read; views live as long as
/// this object.
class TensorFiles {
public:
    /// Of a file (safetensors, PyTorch's .bin, GGUF) or of a folder that holds, in this order of preference,
    /// model.safetensors, its shards by index, pytorch_model.bin, its shards, or one model in GGUF form.
    /// not_found: nothing there, or a shard is missing; malformed: lying header or index; unsupported: an
    /// element type that Vitrine does not read, or a pickle that would do more than build tensors.
    static Result<TensorFiles> open(const std::filesystem::path& file_or_folder);

    /// `format`: "safetensors", "pytorch" or "gguf". Tensors are put in the order of their names.
    TensorFiles(std::string format, std::vector<MappedFile> files, std::vector<StoredTensor> tensors);

    const std::string& format() const { return format_; }

    /// Sorted by name.
    const std::vector<StoredTensor>& tensors() const { return tensors_; }

    /// nullptr if there is no tensor of that name.
    const StoredTensor* find(std::string_view name) const;

    const std::vector<MappedFile>& files() const { return files_; }

    /// Gives the mapped pages of a tensor back to the system, say after its upload.
    void drop(const TensorView& view) const;

private:
    std::string format_;
    std::vector<MappedFile> files_;
    std::vector<StoredTensor> tensors_;
};

} // namespace vitrine::formats
