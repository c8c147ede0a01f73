#include "core/formats/safetensors.h"

#include "core/formats/safetensors_header.h"
#include "core/formats/shard_index.h"

namespace vitrine::formats {

namespace {

namespace fs = std::filesystem;

constexpr const char* format = "safetensors";

Result<Shard> open_file(const fs::path& path) {
    VITRINE_ASSIGN(MappedFile file, MappedFile::open(path));
    VITRINE_ASSIGN(const auto header, parse_safetensors_header(file.bytes(), path.string()));
    std::vector<StoredTensor> tensors;
    for (const HeaderTensor& tensor : header)
        tensors.push_back(
            {tensor.name, {file.bytes().data() + tensor.begin, tensor.dtype, tensor.shape}, 0, {}});
    return Shard{std::move(file), std::move(tensors)};
}

} // namespace

Result<TensorFiles> open_safetensors(const fs::path& file) {
    VITRINE_ASSIGN(Shard shard, open_file(file));
    std::vector<MappedFile> files;
    files.push_back(std::move(shard.file));
    return TensorFiles(format, std::move(files), std::move(shard.tensors));
}

Result<TensorFiles> open_safetensors_shards(const fs::path& index) {
    return open_shards(index, format, open_file);
}

} // namespace vitrine::formats
