#include "core/session/session.h"

#include <system_error>

#include <SQLiteCpp/Statement.h>
#include <SQLiteCpp/Transaction.h>

#include "core/session/folders.h"
#include "core/session/state.h"
#include "core/store/durable.h"

namespace vitrine::session {
namespace {

namespace fs = std::filesystem;

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

} // namespace

Session::Session(std::unique_ptr<State> state) : state_(std::move(state)) {}
Session::Session(Session&&) noexcept = default;
Session& Session::operator=(Session&&) noexcept = default;
Session::~Session() = default;

Result<Session> Session::create(const fs::path& given) {
    const fs::path folder = without_slash(given);
    VITRINE_ASSIGN(NewFolder fresh, NewFolder::make(folder));
    VITRINE_TRY(make_journal(fresh.path(), folder));
    VITRINE_TRY(store::sync_path(journal_file(fresh.path())));
    VITRINE_TRY(fresh.publish());
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
    // Looked at before it is locked: what is refused gets no lock file.
    VITRINE_ASSIGN(SQLite::Database database, open_journal(folder));
    VITRINE_ASSIGN(WriterLock lock, WriterLock::take(folder));
    VITRINE_TRY(prepare_journal(folder, database));
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
