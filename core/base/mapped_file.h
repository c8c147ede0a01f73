#pragma once
#include <cstddef>
#include <filesystem>
#include <span>

#include "core/base/result.h"

namespace vitrine {

/// A file mapped read-only. Pages that were read count as resident until drop() gives them back.
class MappedFile {
public:
    /// not_found if there is no such file, io if it cannot be read or is a folder.
    static Result<MappedFile> open(const std::filesystem::path& path);

    MappedFile(MappedFile&& other) noexcept;
    MappedFile& operator=(MappedFile&& other) noexcept;
    MappedFile(const MappedFile&) = delete;
    MappedFile& operator=(const MappedFile&) = delete;
    ~MappedFile();

    const std::filesystem::path& path() const { return path_; }
    std::span<const std::byte> bytes() const { return {data_, size_}; }

    /// Tells the system that a part of bytes() is not needed for now: it is read again when touched. Other
    /// memory is left alone.
    void drop(std::span<const std::byte> part) const;

private:
    MappedFile(std::filesystem::path path, const std::byte* data, std::size_t size)
        : path_(std::move(path)), data_(data), size_(size) {}

    std::filesystem::path path_;
    const std::byte* data_ = nullptr;
    std::size_t size_ = 0;
};

/// The whole of a small file as text; io, not_found, or too_large beyond `limit` bytes.
Result<std::string> read_text(const std::filesystem::path& path, std::size_t limit = std::size_t{256} << 20);

} // namespace vitrine
