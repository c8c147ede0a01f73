#include "core/session/migrations.h"

#include <iterator>

#include <SQLiteCpp/Transaction.h>
#include <fmt/format.h>

namespace vitrine::session {
namespace {

/// Marks the file as ours among other SQLite databases ("Vitr").
constexpr int application_id = 0x56697472;

/// Number i leads from version i to i + 1. A published one is never edited: the next change is a new one.
constexpr const char* migrations[] = {
    R"sql(
CREATE TABLE model (
    id INTEGER PRIMARY KEY,
    weights_hash TEXT NOT NULL,
    tokenizer_hash TEXT NOT NULL,
    config TEXT NOT NULL,
    path TEXT NOT NULL,
    UNIQUE (weights_hash, tokenizer_hash, path)
) STRICT;
CREATE TABLE device (
    id INTEGER PRIMARY KEY,
    name TEXT NOT NULL,
    detail TEXT NOT NULL,
    UNIQUE (name, detail)
) STRICT;
CREATE TABLE step (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    kind TEXT NOT NULL,
    spec_json TEXT NOT NULL,
    spec_hash TEXT NOT NULL,
    status TEXT NOT NULL CHECK (status IN ('running', 'done', 'failed', 'cancelled', 'interrupted')),
    started TEXT NOT NULL,
    ms REAL,
    error_code TEXT NOT NULL DEFAULT '',
    error TEXT NOT NULL DEFAULT '',
    app_version TEXT NOT NULL,
    device INTEGER NOT NULL REFERENCES device (id),
    precision TEXT NOT NULL,
    model INTEGER REFERENCES model (id)
) STRICT;
CREATE INDEX step_status ON step (status);
CREATE TABLE step_input (
    id INTEGER PRIMARY KEY,
    step INTEGER NOT NULL REFERENCES step (seq),
    role TEXT NOT NULL,
    source INTEGER REFERENCES step (seq),
    dataset TEXT NOT NULL,
    path TEXT NOT NULL,
    hash TEXT NOT NULL
) STRICT;
CREATE INDEX step_input_step ON step_input (step);
CREATE TABLE artifact (
    id INTEGER PRIMARY KEY,
    step INTEGER NOT NULL REFERENCES step (seq),
    kind TEXT NOT NULL,
    file TEXT NOT NULL,
    dataset TEXT NOT NULL,
    dtype TEXT NOT NULL,
    shape TEXT NOT NULL,
    hash TEXT NOT NULL,
    bytes INTEGER NOT NULL,
    UNIQUE (file, dataset)
) STRICT;
CREATE INDEX artifact_step ON artifact (step);
CREATE TABLE note (
    id INTEGER PRIMARY KEY,
    step INTEGER REFERENCES step (seq),
    target TEXT NOT NULL,
    text TEXT NOT NULL,
    created TEXT NOT NULL
) STRICT;
CREATE TABLE view_state (
    key TEXT PRIMARY KEY,
    value TEXT NOT NULL
) STRICT;
CREATE TABLE selection_history (
    id INTEGER PRIMARY KEY,
    made TEXT NOT NULL,
    selection TEXT NOT NULL
) STRICT;
)sql",
};

int pragma(SQLite::Database& database, const char* name) {
    return database.execAndGet(std::string("PRAGMA ") + name).getInt();
}

} // namespace

int schema_version() { return static_cast<int>(std::size(migrations)); }

Result<int> check_version(SQLite::Database& database, const std::string& name) {
    const int version = pragma(database, "user_version");
    if (pragma(database, "application_id") != application_id || version < 1)
        return fail(Code::malformed, fmt::format("{} is not the journal of a session.", name));
    if (database.execAndGet("SELECT count(*) FROM sqlite_master WHERE type IN ('trigger', 'view')")
            .getInt() != 0)
        return fail(Code::malformed, fmt::format("{} holds triggers or views, which no session has.", name));
    if (version > schema_version())
        return fail(Code::session,
                    fmt::format("{} was written by a newer version of Vitrine (format {}, this "
                                "program knows up to {}): open it with that version.",
                                name, version, schema_version()));
    return version;
}

void migrate(SQLite::Database& database, int from) {
    for (int version = from; version < schema_version(); ++version) {
        SQLite::Transaction transaction(database);
        database.exec(migrations[version]);
        database.exec(fmt::format("PRAGMA application_id = {}", application_id));
        database.exec(fmt::format("PRAGMA user_version = {}", version + 1));
        transaction.commit();
    }
}

} // namespace vitrine::session
