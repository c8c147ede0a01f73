#include "core/session/writer_lock.h"

#include <array>
#include <cerrno>
#include <cstring>
#include <string>

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <fmt/format.h>

#include "core/session/clock.h"

namespace vitrine::session {
namespace {

/// "process 123, since 2026-11-23T05:49:25.123Z", as the holder wrote it.
std::string holder(int descriptor) {
    std::array<char, 100> text{};
    const ssize_t size = ::pread(descriptor, text.data(), text.size(), 0);
    return size > 0 ? std::string(text.data(), static_cast<std::size_t>(size)) : "another program";
}

} // namespace

Result<WriterLock> WriterLock::take(const std::filesystem::path& folder) {
    const std::filesystem::path name = folder / "writer.lock";
    const int descriptor = ::open(name.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0666);
    if (descriptor < 0)
        return fail(Code::session,
                    fmt::format("The session {} cannot be written ({}): open it read-only or copy it.",
                                folder.string(), std::strerror(errno)));
    WriterLock lock(descriptor);
    if (::flock(descriptor, LOCK_EX | LOCK_NB) != 0) {
        if (errno == EWOULDBLOCK)
            return fail(Code::session,
                        fmt::format("The session {} is open for writing in {}: close it there first.",
                                    folder.string(), holder(descriptor)));
        return fail(Code::session,
                    fmt::format("The session {} cannot be locked ({}): copy it to a local disk.",
                                folder.string(), std::strerror(errno)));
    }
    const std::string text = fmt::format("process {}, since {}", ::getpid(), utc_now());
    // Only the sentence above reads it: a full disk must not keep the session closed.
    if (::ftruncate(descriptor, 0) == 0) (void)!::pwrite(descriptor, text.data(), text.size(), 0);
    return lock;
}

WriterLock::~WriterLock() {
    if (descriptor_ >= 0) ::close(descriptor_);
}

} // namespace vitrine::session
