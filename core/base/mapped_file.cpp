#include "core/base/mapped_file.h"

#include <cerrno>
#include <cstdint>
#include <cstring>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>
#include <utility>

#include <fmt/format.h>

namespace vitrine {

Result<MappedFile> MappedFile::open(const std::filesystem::path& path) {
    const int descriptor = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
    if (descriptor < 0) {
        const int reason = errno;
        if (reason == ENOENT || reason == ENOTDIR)
            return fail(Code::not_found, fmt::format("There is no file {}.", path.string()));
        return fail(Code::io, fmt::format("{} cannot be opened: {}.", path.string(), std::strerror(reason)));
    }
    struct stat info {};
    if (::fstat(descriptor, &info) != 0 || !S_ISREG(info.st_mode)) {
        ::close(descriptor);
        return fail(Code::io, fmt::format("{} is not a regular file.", path.string()));
    }
    const auto size = static_cast<std::size_t>(info.st_size);
    const std::byte* data = nullptr;
    if (size > 0) {
        void* mapped = ::mmap(nullptr, size, PROT_READ, MAP_PRIVATE, descriptor, 0);
        const int reason = errno;
        ::close(descriptor);
        if (mapped == MAP_FAILED)
            return fail(Code::io,
                        fmt::format("{} cannot be mapped: {}.", path.string(), std::strerror(reason)));
        data = static_cast<const std::byte*>(mapped);
    } else {
        ::close(descriptor);
    }
    return MappedFile(path, data, size);
}

MappedFile::MappedFile(MappedFile&& other) noexcept
    : path_(std::move(other.path_)), data_(std::exchange(other.data_, nullptr)),
      size_(std::exchange(other.size_, 0)) {}

MappedFile& MappedFile::operator=(MappedFile&& other) noexcept {
    std::swap(path_, other.path_);
    std::swap(data_, other.data_);
    std::swap(size_, other.size_);
    return *this;
}

MappedFile::~MappedFile() {
    if (data_ != nullptr) ::munmap(const_cast<std::byte*>(data_), size_);
}

void MappedFile::drop(std::span<const std::byte> part) const {
    // What is not in the file could not be read again.
    const auto start = reinterpret_cast<std::uintptr_t>(data_);
    const auto begin = reinterpret_cast<std::uintptr_t>(part.data());
    if (part.empty() || begin < start || begin + part.size() > start + size_) return;
    const auto page = static_cast<std::uintptr_t>(::sysconf(_SC_PAGESIZE));
    const auto first = reinterpret_cast<std::uintptr_t>(part.data()) / page * page;
    const auto last = reinterpret_cast<std::uintptr_t>(part.data() + part.size());
    ::madvise(reinterpret_cast<void*>(first), last - first, MADV_DONTNEED);
}

Result<std::string> read_text(const std::filesystem::path& path, std::size_t limit) {
    VITRINE_ASSIGN(const MappedFile file, MappedFile::open(path));
    const auto bytes = file.bytes();
    if (bytes.size() > limit)
        return fail(Code::too_large, fmt::format("{} has {} bytes, more than the {} this file may have.",
                                                 path.string(), bytes.size(), limit));
    return std::string(reinterpret_cast<const char*>(bytes.data()), bytes.size());
}

} // namespace vitrine
