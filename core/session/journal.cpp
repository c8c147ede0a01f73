#include "core/session/journal.h"

#include <cctype>
#include <cerrno>
#include <cstring>
#include <system_error>

#include <unistd.h>

#include <SQLiteCpp/Backup.h>
#include <SQLiteCpp/Statement.h>
#include <sqlite3.h>

#include "core/base/scratch_folder.h"
#include "core/session/migrations.h"

namespace vitrine::session {
namespace {

namespace fs = std::filesystem;

constexpr int busy_ms = 5000;

/// A path as part of a file: URI.
std::string uri_of(const fs::path& file) {
    std::string uri = "file:";
    for (const char c : fs::absolute(file).string()) {
        const bool plain =
            std::isalnum(static_cast<unsigned char>(c)) != 0 || std::string_view("/._-~").find(c) < 5;
        uri += plain ? std::string(1, c) : fmt::format("%{:02X}", static_cast<unsigned char>(c));
    }
    return uri;
}

bool has_unwritten_log(const fs::path& file) {
    std::error_code error;
    const auto size = fs::file_size(file.string() + "-wal", error);
    return !error && size > 0;
}

/// SQLite reads what is missing of a last page as zeros. A log may still hold that page.
bool is_cut(const fs::path& file, SQLite::Database& database) {
    const auto pages = database.execAndGet("PRAGMA page_count").getInt64();
    const auto page_bytes = database.execAndGet("PRAGMA page_size").getInt64();
    return !has_unwritten_log(file) && static_cast<std::int64_t>(fs::file_size(file)) < pages * page_bytes;
}

/// Looks at every page, so that what is wrong with the file shows here and not halfway through a step.
SQLite::Database checked(const fs::path& file, SQLite::Database database) {
    database.exec("PRAGMA foreign_keys = ON");
    database.exec("PRAGMA trusted_schema = OFF"); // sessions come from strangers, too
    SQLite::Statement check(database, "PRAGMA quick_check(1)");
    if (!check.executeStep() || check.getColumn(0).getString() != "ok" || is_cut(file, database))
        throw SQLite::Exception("the journal is damaged", SQLITE_CORRUPT);
    return database;
}

/// A program was killed and the folder made read-only: its last commits lie in the log, which SQLite reads
/// only where it may write. So it reads a copy, from which the whole goes into memory.
Result<SQLite::Database> read_with_log(const fs::path& file) {
    VITRINE_ASSIGN(const ScratchFolder folder, ScratchFolder::make());
    const fs::path copy = folder.path() / "session.sqlite";
    fs::copy_file(file, copy);
    fs::copy_file(file.string() + "-wal", copy.string() + "-wal");
    fs::permissions(copy, fs::perms::owner_read | fs::perms::owner_write);
    fs::permissions(copy.string() + "-wal", fs::perms::owner_read | fs::perms::owner_write);
    SQLite::Database source(copy.string(), SQLite::OPEN_READWRITE, busy_ms);
    SQLite::Database memory(":memory:", SQLite::OPEN_READWRITE | SQLite::OPEN_CREATE);
    SQLite::Backup(memory, source).executeStep();
    return memory;
}

} // namespace

fs::path journal_file(const fs::path& folder) { return folder / "session.sqlite"; }

Status check_exists(const fs::path& folder) {
    std::error_code ignored;
    if (fs::exists(journal_file(folder), ignored)) return {};
    if (!fs::exists(folder, ignored))
        return fail(Code::not_found, fmt::format("There is no session {}.", folder.string()));
    return fail(Code::malformed,
                fmt::format("{} is not a session: it has no session.sqlite.", folder.string()));
}

Error journal_error(const fs::path& folder, const SQLite::Exception& error) {
    const std::string name = folder.string();
    switch (error.getErrorCode()) {
    case SQLITE_FULL:
        return {Code::io, fmt::format("The disk of the session {} is full: make room on it.", name)};
    case SQLITE_IOERR:
        return {Code::io,
                fmt::format("The session {} cannot be read or written ({}): check its disk and the room "
                            "on it.",
                            name, error.what())};
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
        return {Code::session,
                fmt::format("The session {} is held by another program: close it there.", name)};
    case SQLITE_READONLY:
        return {Code::session,
                fmt::format("The session {} cannot be written: open it read-only or copy it.", name)};
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
        return {Code::malformed,
                fmt::format("The journal of the session {} is damaged or no journal: restore it "
                            "from a copy.",
                            name)};
    default:
        return {Code::session, fmt::format("The session {} cannot be used: {}.", name, error.what())};
    }
}

Result<SQLite::Database> open_journal(const fs::path& folder) {
    if (::access(folder.c_str(), W_OK) != 0)
        return fail(Code::session,
                    fmt::format("The session {} cannot be written ({}): open it read-only or copy it.",
                                folder.string(), std::strerror(errno)));
    return guarded(folder, [&]() -> Result<SQLite::Database> {
        SQLite::Database database =
            checked(journal_file(folder), {journal_file(folder).string(), SQLite::OPEN_READWRITE, busy_ms});
        VITRINE_TRY(check_version(database, journal_file(folder).string()));
        return database;
    });
}

Status prepare_journal(const fs::path& folder, SQLite::Database& database) {
    return guarded(folder, [&]() -> Status {
        VITRINE_ASSIGN(const int version, check_version(database, journal_file(folder).string()));
        (void)database.execAndGet("PRAGMA journal_mode = WAL");
        database.exec("PRAGMA synchronous = FULL");
        migrate(database, version);
        return {};
    });
}

Result<SQLite::Database> open_journal_to_read(const fs::path& folder) {
    return guarded(folder, [&]() -> Result<SQLite::Database> {
        const fs::path file = journal_file(folder);
        const auto open = [&]() -> Result<SQLite::Database> {
            try {
                if (has_unwritten_log(file))
                    return checked(file, {file.string(), SQLite::OPEN_READONLY, busy_ms});
                // SQLite keeps two files beside a journal that is open, and takes them away again only where
                // it may write.
                SQLite::Database database = checked(file, {file.string(), SQLite::OPEN_READWRITE, busy_ms});
                database.exec("PRAGMA query_only = ON");
                return database;
            } catch (const SQLite::Exception& error) {
                const int code = error.getErrorCode();
                if (code != SQLITE_CANTOPEN && code != SQLITE_READONLY && code != SQLITE_IOERR) throw;
            }
            // Nobody writes here, or the two files that a writer keeps beside the journal would have been
            // used.
            if (has_unwritten_log(file)) return read_with_log(file);
            return checked(
                file, {uri_of(file) + "?immutable=1", SQLite::OPEN_READONLY | SQLite::OPEN_URI, busy_ms});
        };
        VITRINE_ASSIGN(SQLite::Database database, open());
        VITRINE_ASSIGN(const int version, check_version(database, file.string()));
        if (version < schema_version())
            return fail(Code::session,
                        fmt::format("{} was written by an older version of Vitrine: open it once for "
                                    "writing, or a copy of it.",
                                    file.string()));
        return database;
    });
}

void copy_journal(SQLite::Database& database, const fs::path& file) {
    SQLite::Database copy(file.string(), SQLite::OPEN_READWRITE | SQLite::OPEN_CREATE);
    SQLite::Backup(copy, database).executeStep();
}

std::vector<std::string> files_of(SQLite::Database& database) {
    std::vector<std::string> files;
    SQLite::Statement row(database, "SELECT DISTINCT file FROM artifact ORDER BY file");
    while (row.executeStep())
        files.push_back(row.getColumn(0).getString());
    return files;
}

Status make_journal(const fs::path& folder, const fs::path& shown_as) {
    return guarded(shown_as, [&]() -> Status {
        SQLite::Database database(journal_file(folder).string(),
                                  SQLite::OPEN_READWRITE | SQLite::OPEN_CREATE);
        (void)database.execAndGet("PRAGMA journal_mode = WAL");
        database.exec("PRAGMA synchronous = FULL");
        migrate(database, 0);
        return {};
    });
}

} // namespace vitrine::session
