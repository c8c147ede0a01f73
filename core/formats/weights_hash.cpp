#include "core/formats/weights_hash.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <sys/stat.h>
#include <vector>

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

/// The elements of a strided tensor in row-major order, a piece at a time.
class Gatherer {
public:
    explicit Gatherer(const StoredTensor& tensor)
        : tensor_(tensor), size_(dtype_size(tensor.view.dtype)), at_(tensor.view.shape.size(), 0),
          left_(tensor.view.size()) {}

    /// The next bytes, none at the end.
    std::span<const std::byte> next() {
        buffer_.clear();
        for (; left_ > 0 && buffer_.size() < piece; --left_) {
            const std::byte* element = tensor_.view.data + static_cast<std::size_t>(offset_) * size_;
            buffer_.insert(buffer_.end(), element, element + size_);
            step();
        }
        return buffer_;
    }

private:
    void step() {
        for (std::size_t axis = at_.size(); axis-- > 0;) {
            offset_ += tensor_.stride(axis);
            if (++at_[axis] < tensor_.view.shape[axis]) return;
            offset_ -= at_[axis] * tensor_.stride(axis);
            at_[axis] = 0;
        }
    }

    const StoredTensor& tensor_;
    std::size_t size_;
    Shape at_;
    std::int64_t offset_ = 0;
    std::int64_t left_;
    std::vector<std::byte> buffer_;
};

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
        const auto add = [&](std::span<const std::byte> part) {
            hash.add(part);
            done += part.size();
            if (progress) progress(static_cast<double>(done) / static_cast<double>(total), "Hashing weights");
        };
        if (tensor.contiguous()) {
            const std::span<const std::byte> bytes(tensor.view.data, tensor.view.bytes());
            for (std::size_t at = 0; at < bytes.size(); at += piece) {
                VITRINE_TRY(cancel.check());
                const auto part = bytes.subspan(at, std::min(piece, bytes.size() - at));
                add(part);
                files.files()[tensor.file].drop(part);
            }
        } else {
            Gatherer elements(tensor);
            for (auto part = elements.next(); !part.empty(); part = elements.next()) {
                VITRINE_TRY(cancel.check());
                add(part);
            }
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
