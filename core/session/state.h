#pragma once
// Inside core/session only: what an open session holds.
#include <optional>

#include "core/session/journal.h"
#include "core/session/session.h"
#include "core/session/writer_lock.h"

namespace vitrine::session {

struct Session::State {
    std::filesystem::path folder;
    Mode mode = Mode::read_only;
    std::vector<std::int64_t> interrupted;
    std::optional<WriterLock> lock; ///< goes after the database is closed
    mutable SQLite::Database database;

    /// A sentence if the session was opened to read.
    Status check_writable() const {
        if (mode == Mode::read_write) return {};
        return fail(Code::session, fmt::format("The session {} was opened read-only: nothing is recorded.",
                                               folder.string()));
    }
};

} // namespace vitrine::session
