#pragma once
// Inside core/session only: the two uses of libzip.
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "core/base/cancel.h"
#include "core/base/result.h"

namespace vitrine::session {

/// Collects files and writes them all in finish(), under a temporary name first.
class ZipWriter {
public:
    static Result<ZipWriter> create(const std::filesystem::path& file);
    ZipWriter(ZipWriter&&) noexcept;
    ~ZipWriter();

    Status add_text(const std::string& name, std::string text);
    Status add_file(const std::string& name, const std::filesystem::path& source);
    Status finish(const CancelToken& cancel, const Progress& progress);

private:
    struct Archive;
    explicit ZipWriter(std::unique_ptr<Archive> archive);
    std::unique_ptr<Archive> archive_;
};

class ZipReader {
public:
    /// not_found, or malformed if it is no zip.
    static Result<ZipReader> open(const std::filesystem::path& file);
    ZipReader(ZipReader&&) noexcept;
    ~ZipReader();

    struct Entry {
        std::string name;
        std::int64_t bytes = 0; ///< as the directory claims
    };
    Result<std::vector<Entry>> entries() const;

    /// Hands an entry's bytes to `take` in pieces, never more than `limit` bytes in all: malformed if there
    /// are.
    Status read(const std::string& name, std::int64_t limit,
                const std::function<Status(std::span<const std::byte>)>& take) const;

private:
    struct Archive;
    explicit ZipReader(std::unique_ptr<Archive> archive);
    std::unique_ptr<Archive> archive_;
};

} // namespace vitrine::session
