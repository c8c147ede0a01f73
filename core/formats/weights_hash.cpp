#include "core/formats/weights_hash.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <sys/stat.h>

#include <fmt/format.h>

#include "core/base/cache_folder.h"
#include "core/base/hash.h"

namespace vitrine::formats {

namespace {

namespace fs = std::filesystem;

constexpr std::size_t piece = std::size_t{8} << 20; // bytes between two looks at the cancel token
constexpr std::size_t digits = 64;

void add_number(Sha256& hash, std::uint64_t number) {
    std::array<std::byte, 8> bytes{};
    for (std::size_t i = 0; i < bytes.size(); ++i)
        bytes[i] = static_cast<std::byte>(number >> (8 * i));
    hash.add(bytes);
}

void add_text(Sha256& hash, std::string_view text) {
    add_number(hash, text.size());
    hash.add(text);
}

/// Changes whenever one of the files is replaced or written; nothing if a file cannot be asked.
std::string identity(const TensorFiles& files) {
    std::string key = "1"; // of the layout in weights_hash.h
    for (const auto& file : files.files()) {
        struct stat info {};
        if (::stat(file.path().c_str(), &info) != 0) return {};
        key += fmt::format(":{}.{}.{}.{}.{}", info.st_dev, info.st_ino, info.st_size, info.st_mtim.tv_sec,
                           info.st_mtim.tv_nsec);
    }
    // Two indices may share shards but list different tensors of them.
    for (const auto& tensor : files.tensors())
        key += fmt::format(":{}.{}", tensor.file, tensor.name);
    return sha256(key);
}

std::string read_digits(const fs::path& path) {
    const auto text = read_text(path, digits);
    const bool good =
        text && text->size() == digits && text->find_first_not_of("0123456789abcdef") == std::string::npos;
    return good ? *text : std::string();
}

} // namespace

Result<std::string> weights_hash(const TensorFiles& files, const CancelToken& cancel,
                                 const Progress& progress) {
    std::size_t total = 1;
    std::size_t done = 0;
    for (const auto& tensor : files.tensors())
        total += tensor.view.bytes();

    Sha256 hash;
    for (const auto& tensor : files.tensors()) {
        add_text(hash, tensor.name);
        add_text(hash, dtype_name(tensor.view.dtype));
        add_number(hash, tensor.view.shape.size());
        for (const auto axis : tensor.view.shape)
            add_number(hash, static_cast<std::uint64_t>(axis));
        const std::span<const std::byte> bytes(tensor.view.data, tensor.view.bytes());
        for (std::size_t at = 0; at < bytes.size(); at += piece) {
            VITRINE_TRY(cancel.check());
            const auto part = bytes.subspan(at, std::min(piece, bytes.size() - at));
            hash.add(part);
            files.files()[tensor.file].drop(part);
            done += part.size();
            if (progress) progress(static_cast<double>(done) / static_cast<double>(total), "Hashing weights");
        }
    }
    return hash.finish();
}

Result<std::string> cached_weights_hash(const TensorFiles& files, const fs::path& cache,
                                        const CancelToken& cancel, const Progress& progress) {
    const std::string key = cache.empty() ? std::string() : identity(files);
    if (key.empty()) return weights_hash(files, cancel, progress);
    if (auto known = read_digits(cache / key); !known.empty()) return known;
    VITRINE_ASSIGN(std::string hash, weights_hash(files, cancel, progress));
    write_cache(cache / key, hash);
    return hash;
}

fs::path weights_cache_folder() {
    const fs::path folder = cache_folder();
    return folder.empty() ? folder : folder / "weights";
}

} // namespace vitrine::formats
