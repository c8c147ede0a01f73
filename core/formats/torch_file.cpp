#include "core/formats/torch_file.h"

#include <algorithm>

#include <fmt/format.h>

#include "core/formats/pickle.h"
#include "core/formats/shard_index.h"
#include "core/formats/stored_zip.h"

namespace vitrine::formats {

namespace {

namespace fs = std::filesystem;

constexpr const char* format = "pytorch";
constexpr std::string_view pickle_suffix = "/data.pkl";

using Entries = std::map<std::string, std::span<const std::byte>>;

std::string_view as_text(std::span<const std::byte> bytes) {
    return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

/// "archive" of "archive/data.pkl", the one folder in which everything lies.
Result<std::string> archive_name(const Entries& entries, std::string_view file_name) {
    for (const auto& [name, bytes] : entries)
        if (name.ends_with(pickle_suffix)) return name.substr(0, name.size() - pickle_suffix.size());
    return fail(Code::malformed,
                fmt::format("{} is a zip without data.pkl, so torch.save did not write it.", file_name));
}

/// Strides of a row-major tensor, ignoring axes of one entry.
bool row_major(const PickledTensor& tensor) {
    std::int64_t expected = 1;
    for (std::size_t i = tensor.shape.size(); i-- > 0;) {
        if (tensor.shape[i] != 1 && tensor.strides[i] != expected) return false;
        expected *= tensor.shape[i];
    }
    return true;
}

Result<StoredTensor> stored(const PickledTensor& tensor, const Entries& entries, const std::string& archive,
                            std::string_view file_name) {
    const auto found = entries.find(fmt::format("{}/data/{}", archive, tensor.storage));
    if (found == entries.end())
        return fail(Code::malformed,
                    fmt::format("{}: the storage of tensor \"{}\" is missing.", file_name, tensor.name));
    const std::span<const std::byte> bytes = found->second;
    const std::size_t size = dtype_size(tensor.dtype);
    if (static_cast<std::uint64_t>(tensor.storage_elements) > bytes.size() / size)
        return fail(Code::malformed,
                    fmt::format("{}: the storage of tensor \"{}\" has {} bytes where its {} "
                                "elements need {} each.",
                                file_name, tensor.name, bytes.size(), tensor.storage_elements, size));
    const std::int64_t count = element_count(tensor.shape);
    if (count > tensor.storage_elements)
        return fail(
            Code::unsupported,
            fmt::format("{}: tensor \"{}\" repeats the elements of its storage; save a contiguous copy.",
                        file_name, tensor.name));
    const bool empty = count == 0;
    const std::byte* first = bytes.data() + (empty ? 0 : static_cast<std::size_t>(tensor.offset) * size);
    return StoredTensor{tensor.name,
                        {first, tensor.dtype, tensor.shape},
                        0,
                        empty || row_major(tensor) ? Shape{} : tensor.strides};
}

Result<Shard> open_file(const fs::path& path) {
    VITRINE_ASSIGN(MappedFile file, MappedFile::open(path));
    VITRINE_ASSIGN(auto tensors, parse_torch_file(file.bytes(), path.string()));
    return Shard{std::move(file), std::move(tensors)};
}

} // namespace

Result<std::vector<StoredTensor>> parse_torch_file(std::span<const std::byte> file,
                                                   std::string_view file_name) {
    if (!is_zip(file)) {
        if (!file.empty() && file.front() == std::byte{0x80})
            return fail(
                Code::unsupported,
                fmt::format("{} is in the format that PyTorch wrote before version 1.6; load it once with "
                            "torch.load(…, weights_only=True) and write it again with torch.save, or as "
                            "safetensors.",
                            file_name));
        return fail(Code::malformed, fmt::format("{} is no file that torch.save wrote.", file_name));
    }
    VITRINE_ASSIGN(const Entries entries, stored_zip_entries(file, file_name));
    VITRINE_ASSIGN(const std::string archive, archive_name(entries, file_name));
    const auto order = entries.find(archive + "/byteorder");
    if (order != entries.end() && as_text(order->second) != "little")
        return fail(Code::unsupported,
                    fmt::format("{} was saved in big-endian byte order; save it again on another machine.",
                                file_name));
    VITRINE_ASSIGN(const auto pickled,
                   unpickle_tensors(entries.at(archive + std::string(pickle_suffix)), file_name));
    std::vector<StoredTensor> tensors;
    for (const PickledTensor& tensor : pickled) {
        VITRINE_ASSIGN(StoredTensor one, stored(tensor, entries, archive, file_name));
        tensors.push_back(std::move(one));
    }
    return tensors;
}

Result<TensorFiles> open_torch_file(const fs::path& path) {
    VITRINE_ASSIGN(Shard shard, open_file(path));
    std::vector<MappedFile> files;
    files.push_back(std::move(shard.file));
    return TensorFiles(format, std::move(files), std::move(shard.tensors));
}

Result<TensorFiles> open_torch_shards(const fs::path& index) { return open_shards(index, format, open_file); }

} // namespace vitrine::formats
