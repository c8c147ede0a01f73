#pragma once
// The tables of a session's journal, and how a journal of an older version becomes one of this version.
#include <string>

#include <SQLiteCpp/Database.h>

#include "core/base/result.h"

namespace vitrine::session {

/// The version this program writes.
int schema_version();

/// malformed if the database is not a session's, `session` if a newer program wrote it. `name` stands in the
/// sentence.
Result<int> check_version(SQLite::Database& database, const std::string& name);

/// Applies what lies between `from` and schema_version(), one transaction each. Throws SQLite::Exception.
void migrate(SQLite::Database& database, int from);

} // namespace vitrine::session
