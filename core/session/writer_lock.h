#pragma once
#include <filesystem>
#include <utility>

#include "core/base/result.h"

namespace vitrine::session {

/// Held by the one program that may write a session. The system drops it when the process ends, however it
/// ends, so a lock is never stale; the file's text (process id and start) is for the sentence that refuses a
/// second one.
class WriterLock {
public:
    /// `session` if another program holds it or the folder cannot be written.
    static Result<WriterLock> take(const std::filesystem::path& folder);

    WriterLock(WriterLock&& other) noexcept : descriptor_(std::exchange(other.descriptor_, -1)) {}
    WriterLock& operator=(WriterLock&&) = delete;
    ~WriterLock();

private:
    explicit WriterLock(int descriptor) : descriptor_(descriptor) {}
    int descriptor_ = -1;
};

} // namespace vitrine::session
