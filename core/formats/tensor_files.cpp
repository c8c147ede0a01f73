#include "core/formats/tensor_files.h"

#include <algorithm>
#include <array>
#include <system_error>

#include <fmt/format.h>

#include "core/formats/gguf.h"
#include "core/formats/safetensors.h"
#include "core/formats/torch_file.h"

namespace vitrine::formats {

namespace fs = std::filesystem;

std::int64_t StoredTensor::stride(std::size_t axis) const {
    if (!strides.empty()) return strides[axis];
    std::int64_t elements = 1;
    for (std::size_t i = axis + 1; i < view.shape.size(); ++i)
        elements *= view.shape[i];
    return elements;
}

namespace {

struct Kind {
    const char* file;
    Result<TensorFiles> (*open)(const fs::path&);
};

/// What a model's folder may hold, the best first.
constexpr std::array<Kind, 4> kinds{{{"model.safetensors", open_safetensors},
                                     {"model.safetensors.index.json", open_safetensors_shards},
                                     {"pytorch_model.bin", open_torch_file},
                                     {"pytorch_model.bin.index.json", open_torch_shards}}};

Result<TensorFiles> open_gguf_tensors(const fs::path& path) {
    VITRINE_ASSIGN(GgufModel model, open_gguf(path));
    return std::move(model.files);
}

Result<TensorFiles> open_folder(const fs::path& folder) {
    std::error_code ignored;
    std::string names;
    for (const Kind& kind : kinds) {
        if (fs::exists(folder / kind.file, ignored)) return kind.open(folder / kind.file);
        names += fmt::format("{}{}", names.empty() ? "" : " nor ", kind.file);
    }
    auto gguf = find_gguf(folder);
    if (gguf) return open_gguf_tensors(*gguf);
    if (gguf.error().code != Code::not_found) return tl::unexpected(gguf.error());
    return fail(Code::not_found,
                fmt::format("{} has neither {}, nor a model in GGUF form.", folder.string(), names));
}

} // namespace

Result<TensorFiles> TensorFiles::open(const fs::path& path) {
    std::error_code ignored;
    if (fs::is_directory(path, ignored)) return open_folder(path);
    if (is_gguf(path)) return open_gguf_tensors(path);
    if (path.extension() == ".bin" || path.extension() == ".pt" || path.extension() == ".pth")
        return open_torch_file(path);
    return open_safetensors(path);
}

TensorFiles::TensorFiles(std::string format, std::vector<MappedFile> files, std::vector<StoredTensor> tensors)
    : format_(std::move(format)), files_(std::move(files)), tensors_(std::move(tensors)) {
    std::sort(tensors_.begin(), tensors_.end(), [](const auto& a, const auto& b) { return a.name < b.name; });
}

const StoredTensor* TensorFiles::find(std::string_view name) const {
    const auto found = std::lower_bound(
        tensors_.begin(), tensors_.end(), name,
        [](const StoredTensor& tensor, std::string_view wanted) { return tensor.name < wanted; });
    return found != tensors_.end() && found->name == name ? &*found : nullptr;
}

void TensorFiles::drop(const TensorView& view) const {
    for (const MappedFile& file : files_)
        file.drop({view.data, view.bytes()});
}

} // namespace vitrine::formats
