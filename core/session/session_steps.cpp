// Writing steps: begun before they start, ended once, in the same transaction as what they made.
#include <system_error>

#include <SQLiteCpp/Statement.h>
#include <SQLiteCpp/Transaction.h>

#include "core/base/hash.h"
#include "core/session/clock.h"
#include "core/session/state.h"

namespace vitrine::session {
namespace {

namespace fs = std::filesystem;

std::int64_t row_of(SQLite::Database& database, const Device& device) {
    SQLite::Statement add(database, "INSERT INTO device (name, detail) VALUES (?, ?) ON CONFLICT DO NOTHING");
    add.bind(1, device.name);
    add.bind(2, device.detail);
    add.exec();
    SQLite::Statement find(database, "SELECT id FROM device WHERE name = ? AND detail = ?");
    find.bind(1, device.name);
    find.bind(2, device.detail);
    find.executeStep();
    return find.getColumn(0).getInt64();
}

std::int64_t row_of(SQLite::Database& database, const Model& model) {
    SQLite::Statement add(database, "INSERT INTO model (weights_hash, tokenizer_hash, path, config) "
                                    "VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING");
    add.bind(1, model.weights_hash);
    add.bind(2, model.tokenizer_hash);
    add.bind(3, model.path);
    add.bind(4, model.config);
    add.exec();
    SQLite::Statement find(database,
                           "SELECT id FROM model WHERE weights_hash = ? AND tokenizer_hash = ? AND path = ?");
    find.bind(1, model.weights_hash);
    find.bind(2, model.tokenizer_hash);
    find.bind(3, model.path);
    find.executeStep();
    return find.getColumn(0).getInt64();
}

void add_input(SQLite::Database& database, std::int64_t seq, const StepInput& input) {
    SQLite::Statement add(database, "INSERT INTO step_input (step, role, source, dataset, path, hash) "
                                    "VALUES (?, ?, ?, ?, ?, ?)");
    add.bind(1, seq);
    add.bind(2, input.role);
    if (input.step)
        add.bind(3, *input.step);
    else
        add.bind(3);
    add.bind(4, input.dataset);
    add.bind(5, input.path);
    add.bind(6, input.hash);
    add.exec();
}

void add_artifact(SQLite::Database& database, std::int64_t seq, const Artifact& artifact) {
    SQLite::Statement add(database,
                          "INSERT INTO artifact (step, kind, file, dataset, dtype, shape, hash, bytes) "
                          "VALUES (?, ?, ?, ?, ?, ?, ?, ?)");
    add.bind(1, seq);
    add.bind(2, artifact.kind);
    add.bind(3, artifact.file);
    add.bind(4, artifact.dataset);
    add.bind(5, artifact.dtype);
    add.bind(6, Json(artifact.shape).dump());
    add.bind(7, artifact.hash);
    add.bind(8, artifact.bytes);
    add.exec();
}

/// Ends a step that is running; a step ends once.
Status end_step(SQLite::Database& database, std::int64_t seq, StepStatus status, double ms,
                const Error* error) {
    SQLite::Statement update(database, "UPDATE step SET status = ?, ms = ?, error_code = ?, error = ? "
                                       "WHERE seq = ? AND status = 'running'");
    update.bind(1, std::string(status_name(status)));
    update.bind(2, ms);
    update.bind(3, error != nullptr ? std::string(code_name(error->code)) : std::string());
    update.bind(4, error != nullptr ? error->message : std::string());
    update.bind(5, seq);
    if (update.exec() != 1) return fail(Code::internal, fmt::format("Step {} is not running.", seq));
    return {};
}

} // namespace

Result<std::int64_t> Session::begin_step(const NewStep& step) {
    VITRINE_TRY(state_->check_writable());
    return guarded(state_->folder, [&]() -> Result<std::int64_t> {
        SQLite::Database& database = state_->database;
        const std::string spec = canonical_json(step.spec);
        SQLite::Transaction transaction(database, SQLite::TransactionBehavior::IMMEDIATE);
        SQLite::Statement add(database,
                              "INSERT INTO step (kind, spec_json, spec_hash, status, started, app_version, "
                              "device, precision, model) VALUES (?, ?, ?, 'running', ?, ?, ?, ?, ?)");
        add.bind(1, step.kind);
        add.bind(2, spec);
        add.bind(3, sha256(spec));
        add.bind(4, utc_now());
        add.bind(5, step.app_version);
        add.bind(6, row_of(database, step.device));
        add.bind(7, step.precision);
        if (step.model)
            add.bind(8, row_of(database, *step.model));
        else
            add.bind(8);
        add.exec();
        const std::int64_t seq = database.getLastInsertRowid();
        for (const StepInput& input : step.inputs)
            add_input(database, seq, input);
        transaction.commit();
        return seq;
    });
}

Status Session::finish_step(std::int64_t seq, double ms, const std::vector<Artifact>& artifacts) {
    VITRINE_TRY(state_->check_writable());
    return guarded(state_->folder, [&]() -> Status {
        SQLite::Transaction transaction(state_->database, SQLite::TransactionBehavior::IMMEDIATE);
        VITRINE_TRY(end_step(state_->database, seq, StepStatus::done, ms, nullptr));
        for (Artifact artifact : artifacts) {
            const fs::path file = fs::path(artifact.file).lexically_relative(state_->folder);
            if (file.empty() || *file.begin() == "..")
                return fail(Code::internal, fmt::format("{} is not in the session {}.", artifact.file,
                                                        state_->folder.string()));
            artifact.file = file.generic_string();
            add_artifact(state_->database, seq, artifact);
        }
        transaction.commit();
        return {};
    });
}

Status Session::fail_step(std::int64_t seq, const Error& error, double ms) {
    return end_without_result(seq, StepStatus::failed, ms, &error);
}

Status Session::cancel_step(std::int64_t seq, double ms) {
    return end_without_result(seq, StepStatus::cancelled, ms, nullptr);
}

Status Session::end_without_result(std::int64_t seq, StepStatus status, double ms, const Error* error) {
    VITRINE_TRY(state_->check_writable());
    // The file goes first: on a full disk it makes the room that the row needs.
    SQLite::Database& database = state_->database;
    return guarded(state_->folder, [&]() -> Status {
        SQLite::Transaction transaction(database, SQLite::TransactionBehavior::IMMEDIATE);
        VITRINE_TRY(end_step(database, seq, status, ms, error));
        std::error_code ignored;
        fs::remove(activation_file(seq), ignored);
        transaction.commit();
        return {};
    });
}

} // namespace vitrine::session
