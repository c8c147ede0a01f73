#include "core/store/durable.h"

#include <cerrno>
#include <cstring>

#include <fcntl.h>
#include <unistd.h>

#include <fmt/format.h>

namespace vitrine::store {

std::filesystem::path folder_of(const std::filesystem::path& file) {
    return file.has_parent_path() ? file.parent_path() : std::filesystem::path(".");
}

std::filesystem::path temporary_name(const std::filesystem::path& final_name) {
    std::filesystem::path name = final_name;
    name += fmt::format(".{}.tmp", ::getpid());
    return name;
}

Status sync_path(const std::filesystem::path& path) {
    const int file = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
    const bool synced = file >= 0 && ::fsync(file) == 0;
    const int cause = errno;
    if (file >= 0) ::close(file);
    if (!synced)
        return fail(Code::io,
                    fmt::format("Cannot write {} to the disk: {}.", path.string(), std::strerror(cause)));
    return {};
}

Status publish(const std::filesystem::path& temporary, const std::filesystem::path& final_name) {
    VITRINE_TRY(sync_path(temporary));
    if (::rename(temporary.c_str(), final_name.c_str()) != 0)
        return fail(Code::io,
                    fmt::format("Cannot create {}: {}.", final_name.string(), std::strerror(errno)));
    return sync_path(folder_of(final_name));
}

} // namespace vitrine::store
