#pragma once
// Inside core/session only: the SQLite file, and where SQLite's exceptions stop.
#include <filesystem>
#include <string>
#include <vector>

#include <SQLiteCpp/Database.h>
#include <SQLiteCpp/Exception.h>
#include <fmt/format.h>

#include "core/base/result.h"

namespace vitrine::session {

/// "session.sqlite" in a session's folder.
std::filesystem::path journal_file(const std::filesystem::path& folder);

/// not_found if there is no such folder, malformed if it holds no journal.
Status check_exists(const std::filesystem::path& folder);

/// The sentence for a failed call: full disk, held by another program, damaged, ….
Error journal_error(const std::filesystem::path& folder, const SQLite::Exception& error);

/// Runs `body`, which returns a Status or Result; an exception becomes journal_error.
template <typename Body>
auto guarded(const std::filesystem::path& folder, const Body& body) -> decltype(body()) {
    try {
        return body();
    } catch (const SQLite::Exception& error) {
        return tl::unexpected(journal_error(folder, error));
    } catch (const std::exception& error) {
        return fail(Code::internal,
                    fmt::format("The session {} cannot be used: {}.", folder.string(), error.what()));
    }
}

/// For writing, once prepare_journal() has been called. Looks at the version and changes nothing.
Result<SQLite::Database> open_journal(const std::filesystem::path& folder);

/// Durable commits and tables of this version. The caller holds the writer's lock.
Status prepare_journal(const std::filesystem::path& folder, SQLite::Database& database);

/// For reading beside a writer, in a folder that cannot be written, or on a read-only disk. `session` if the
/// journal has another format than this program's.
Result<SQLite::Database> open_journal_to_read(const std::filesystem::path& folder);

/// A copy of an open journal as it is at this moment, in one closed file. Throws SQLite::Exception.
void copy_journal(SQLite::Database& database, const std::filesystem::path& file);

/// The files that artifacts lie in, relative to the session's folder. Throws SQLite::Exception.
std::vector<std::string> files_of(SQLite::Database& database);

/// A new, closed journal in an existing folder; an error names `shown_as`.
Status make_journal(const std::filesystem::path& folder, const std::filesystem::path& shown_as);

} // namespace vitrine::session
