#include "core/session/session.h"

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <system_error>

#include <unistd.h>

#include <SQLiteCpp/Statement.h>
#include <SQLiteCpp/Transaction.h>

#include "core/session/state.h"
#include "core/store/durable.h"

namespace vitrine::session {
namespace {

namespace fs = std::filesystem;

/// "work.vitrine/" and "work.vitrine" are the same folder.
fs::path without_slash(const fs::path& folder) {
    return folder.has_filename() ? folder : folder.parent_path();
}

Status make_folders(const fs::path& folder) {
    std::error_code error;
    fs::create_directory(folder, error);
    if (!error) fs::create_directory(folder / "activations", error);
    if (error) return fail(Code::io, fmt::format("Cannot make {}: {}.", folder.string(), error.message()));
    return {};
}

/// All of a new session under another name, flushed, then renamed: it is there whole or not at all.
Status build(const fs::path& temporary, const fs::path& folder) {
    VITRINE_TRY(make_folders(temporary));
    VITRINE_TRY(make_journal(temporary));
    VITRINE_TRY(store::sync_path(journal_file(temporary)));
    VITRINE_TRY(store::sync_path(temporary));
    if (::rename(temporary.c_str(), folder.c_str()) != 0)
        return fail(Code::io,
                    fmt::format("Cannot make the session {}: {}.", folder.string(), std::strerror(errno)));
    return store::sync_path(store::folder_of(folder));
}

/// The writer holds the lock, so who left a step running is dead.
Result<std::vector<std::int64_t>> interrupt_running(const fs::path& folder, SQLite::Database& database) {
    return guarded(folder, [&]() -> Result<std::vector<std::int64_t>> {
        std::vector<std::int64_t> found;
        SQLite::Transaction transaction(database, SQLite::TransactionBehavior::IMMEDIATE);
        SQLite::Statement running(database, "SELECT seq FROM step WHERE status = 'running' ORDER BY seq");
        while (running.executeStep())
            found.push_back(running.getColumn(0).getInt64());
        if (!found.empty())
            database.exec("UPDATE step SET status = 'interrupted', error_code = 'session', "
                          "error = 'The program ended while this step ran.' WHERE status = 'running'");
        transaction.commit();
        return found;
    });
}

void remove_temporaries(const fs::path& folder) {
    std::error_code ignored;
    for (const auto& entry : fs::directory_iterator(folder / "activations", ignored))
        if (entry.path().extension() == ".tmp") fs::remove(entry.path(), ignored);
}

Status check_exists(const fs::path& folder) {
    std::error_code ignored;
    if (fs::exists(journal_file(folder), ignored)) return {};
    if (!fs::exists(folder, ignored))
        return fail(Code::not_found, fmt::format("There is no session {}.", folder.string()));
    return fail(Code::malformed,
                fmt::format("{} is not a session: it has no session.sqlite.", folder.string()));
}

} // namespace

Session::Session(std::unique_ptr<State> state) : state_(std::move(state)) {}
Session::Session(Session&&) noexcept = default;
Session& Session::operator=(Session&&) noexcept = default;
Session::~Session() = default;

Result<Session> Session::create(const fs::path& given) {
    const fs::path folder = without_slash(given);
    std::error_code ignored;
    if (fs::exists(folder, ignored) && !fs::is_empty(folder, ignored))
        return fail(Code::session, fmt::format("{} exists already: choose another name.", folder.string()));
    if (!fs::is_directory(store::folder_of(folder), ignored))
        return fail(Code::not_found, fmt::format("Cannot make the session {}: there is no folder {}.",
                                                 folder.string(), store::folder_of(folder).string()));
    const fs::path temporary = store::temporary_name(folder);
    if (auto built = build(temporary, folder); !built) {
        fs::remove_all(temporary, ignored);
        return tl::unexpected(built.error());
    }
    return open(folder, Mode::read_write);
}

Result<Session> Session::open(const fs::path& given, Mode mode) {
    const fs::path folder = without_slash(given);
    VITRINE_TRY(check_exists(folder));
    if (mode == Mode::read_only) {
        VITRINE_ASSIGN(SQLite::Database database, open_journal_to_read(folder));
        return Session(
            std::unique_ptr<State>(new State{folder, mode, {}, std::nullopt, std::move(database)}));
    }
    VITRINE_ASSIGN(WriterLock lock, WriterLock::take(folder));
    VITRINE_ASSIGN(SQLite::Database database, open_journal(folder));
    VITRINE_ASSIGN(std::vector<std::int64_t> interrupted, interrupt_running(folder, database));
    Session session(std::unique_ptr<State>(
        new State{folder, mode, std::move(interrupted), std::move(lock), std::move(database)}));
    remove_temporaries(folder);
    for (const std::int64_t seq : session.interrupted())
        fs::remove(session.activation_file(seq));
    return session;
}

Result<Session> Session::open_or_create(const fs::path& folder) {
    std::error_code ignored;
    if (fs::exists(journal_file(without_slash(folder)), ignored)) return open(folder, Mode::read_write);
    return create(folder);
}

const fs::path& Session::folder() const { return state_->folder; }
Mode Session::mode() const { return state_->mode; }
const std::vector<std::int64_t>& Session::interrupted() const { return state_->interrupted; }

fs::path Session::activation_file(std::int64_t seq) const {
    return state_->folder / "activations" / fmt::format("step-{:06}.h5", seq);
}

} // namespace vitrine::session
