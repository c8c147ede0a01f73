#include "app/cli/files.h"

#include <fmt/format.h>
#include <unistd.h>

#include "core/store/durable.h"

namespace vitrine::cli {

Status check_output(const std::filesystem::path& file) {
    std::error_code ignored;
    const auto folder = store::folder_of(file);
    if (!std::filesystem::is_directory(folder, ignored))
        return fail(Code::io, fmt::format("{} cannot be written: there is no folder {}.", file.string(),
                                          folder.string()));
    if (std::filesystem::is_directory(file, ignored))
        return fail(Code::io, fmt::format("{} cannot be written: it is a folder.", file.string()));
    // What is complete is renamed into place, which would put a file where a device was.
    if (std::filesystem::exists(file, ignored) && !std::filesystem::is_regular_file(file, ignored))
        return fail(Code::io, fmt::format("{} cannot be written: it is no ordinary file.", file.string()));
    if (access(folder.c_str(), W_OK) != 0)
        return fail(Code::io, fmt::format("{} cannot be written: the folder {} is read-only.", file.string(),
                                          folder.string()));
    return {};
}

} // namespace vitrine::cli
