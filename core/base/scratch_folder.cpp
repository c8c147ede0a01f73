#include "core/base/scratch_folder.h"

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <string>
#include <system_error>
#include <utility>

#include <fmt/format.h>

namespace vitrine {

namespace fs = std::filesystem;

Result<ScratchFolder> ScratchFolder::make() {
    std::error_code error;
    const fs::path root = fs::temp_directory_path(error);
    if (error)
        return fail(Code::io,
                    "There is no folder for temporary files: set TMPDIR to one that can be written.");
    std::string name = (root / "vitrine-XXXXXX").string();
    if (::mkdtemp(name.data()) == nullptr)
        return fail(Code::io,
                    fmt::format("No temporary folder can be made in {} ({}): set TMPDIR to one that "
                                "can be written.",
                                root.string(), std::strerror(errno)));
    return ScratchFolder(name);
}

ScratchFolder::ScratchFolder(ScratchFolder&& other) noexcept : path_(std::exchange(other.path_, {})) {}

ScratchFolder::~ScratchFolder() {
    std::error_code ignored;
    if (!path_.empty()) fs::remove_all(path_, ignored);
}

} // namespace vitrine
