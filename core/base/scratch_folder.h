#pragma once
#include <filesystem>

#include "core/base/result.h"

namespace vitrine {

/// A folder among the system's temporary files that goes with the object, with everything in it.
class ScratchFolder {
public:
    /// io if there is no place for it.
    static Result<ScratchFolder> make();
    ScratchFolder(ScratchFolder&& other) noexcept;
    ScratchFolder& operator=(ScratchFolder&&) = delete;
    ~ScratchFolder();

    const std::filesystem::path& path() const { return path_; }

private:
    explicit ScratchFolder(std::filesystem::path path) : path_(std::move(path)) {}
    std::filesystem::path path_;
};

} // namespace vitrine
