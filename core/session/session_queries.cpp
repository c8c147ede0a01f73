// Reading the journal, and the small state that windows keep in it.
#include <algorithm>

#include <SQLiteCpp/Statement.h>
#include <SQLiteCpp/Transaction.h>

#include "core/session/clock.h"
#include "core/session/state.h"
#include "core/store/compare.h"

namespace vitrine::session {
namespace {

constexpr std::string_view status_names[] = {"running", "done", "failed", "cancelled", "interrupted"};

StepStatus status_of(const std::string& name) {
    const auto* const found = std::find(std::begin(status_names), std::end(status_names), name);
    return static_cast<StepStatus>(found - std::begin(status_names)); // a CHECK of the table admits no others
}

constexpr const char* select_steps =
    "SELECT seq, kind, spec_json, spec_hash, status, started, ms, error_code, error, app_version, "
    "device.name, "
    "device.detail, precision, model, weights_hash, tokenizer_hash, config, path "
    "FROM step JOIN device ON device.id = step.device LEFT JOIN model ON model.id = step.model ";

Step step_of(SQLite::Statement& row) {
    const auto text = [&](int column) { return row.getColumn(column).getString(); };
    Step step;
    step.seq = row.getColumn(0).getInt64();
    step.kind = text(1);
    step.spec = text(2);
    step.spec_hash = text(3);
    step.status = status_of(text(4));
    step.started = text(5);
    if (!row.getColumn(6).isNull()) step.ms = row.getColumn(6).getDouble();
    step.error_code = text(7);
    step.error = text(8);
    step.app_version = text(9);
    step.device = {text(10), text(11)};
    step.precision = text(12);
    if (!row.getColumn(13).isNull()) step.model = Model{text(14), text(15), text(16), text(17)};
    return step;
}

std::vector<StepInput> inputs_of(SQLite::Database& database, std::int64_t seq) {
    SQLite::Statement row(
        database, "SELECT role, source, dataset, path, hash FROM step_input WHERE step = ? ORDER BY id");
    row.bind(1, seq);
    std::vector<StepInput> inputs;
    while (row.executeStep()) {
        StepInput input;
        input.role = row.getColumn(0).getString();
        if (!row.getColumn(1).isNull()) input.step = row.getColumn(1).getInt64();
        input.dataset = row.getColumn(2).getString();
        input.path = row.getColumn(3).getString();
        input.hash = row.getColumn(4).getString();
        inputs.push_back(std::move(input));
    }
    return inputs;
}

/// Rows of kind, file, dataset, dtype, shape, hash, bytes.
std::vector<Artifact> artifacts_of(SQLite::Statement& row) {
    std::vector<Artifact> artifacts;
    while (row.executeStep())
        artifacts.push_back({row.getColumn(0).getString(), row.getColumn(1).getString(),
                             row.getColumn(2).getString(), row.getColumn(3).getString(),
                             Json::parse(row.getColumn(4).getString()).get<Shape>(),
                             row.getColumn(5).getString(), row.getColumn(6).getInt64()});
    return artifacts;
}

} // namespace

std::string_view status_name(StepStatus status) { return status_names[static_cast<std::size_t>(status)]; }

Result<std::vector<Step>> Session::steps() const {
    return guarded(state_->folder, [&]() -> Result<std::vector<Step>> {
        SQLite::Statement row(state_->database, std::string(select_steps) + "ORDER BY seq");
        std::vector<Step> steps;
        while (row.executeStep())
            steps.push_back(step_of(row));
        return steps;
    });
}

Result<StepDetail> Session::step(std::int64_t seq) const {
    return guarded(state_->folder, [&]() -> Result<StepDetail> {
        SQLite::Database& database = state_->database;
        const SQLite::Transaction one_moment(database); // a writer may end the step between two queries
        SQLite::Statement row(database, std::string(select_steps) + "WHERE seq = ?");
        row.bind(1, seq);
        if (!row.executeStep())
            return fail(Code::not_found,
                        fmt::format("The session {} has no step {}.", state_->folder.string(), seq));
        StepDetail detail{step_of(row), inputs_of(database, seq), {}};
        SQLite::Statement artifacts(database,
                                    "SELECT kind, file, dataset, dtype, shape, hash, bytes FROM artifact "
                                    "WHERE step = ? ORDER BY id");
        artifacts.bind(1, seq);
        detail.artifacts = artifacts_of(artifacts);
        return detail;
    });
}

Result<std::vector<Artifact>> Session::damaged() const {
    return guarded(state_->folder, [&]() -> Result<std::vector<Artifact>> {
        SQLite::Statement artifacts(state_->database, "SELECT kind, file, dataset, dtype, shape, hash, bytes "
                                                      "FROM artifact ORDER BY id");
        return store::damaged(state_->folder, artifacts_of(artifacts));
    });
}

Result<std::optional<Json>> Session::view_state(std::string_view key) const {
    return guarded(state_->folder, [&]() -> Result<std::optional<Json>> {
        SQLite::Statement row(state_->database, "SELECT value FROM view_state WHERE key = ?");
        row.bind(1, std::string(key));
        if (!row.executeStep()) return std::nullopt;
        return parse_json(row.getColumn(0).getString(), fmt::format("The view state \"{}\"", key));
    });
}

Status Session::set_view_state(std::string_view key, const Json& value) {
    VITRINE_TRY(state_->check_writable());
    return guarded(state_->folder, [&]() -> Status {
        SQLite::Statement set(state_->database, "INSERT INTO view_state (key, value) VALUES (?, ?) "
                                                "ON CONFLICT (key) DO UPDATE SET value = excluded.value");
        set.bind(1, std::string(key));
        set.bind(2, dump_json(value));
        set.exec();
        return {};
    });
}

Status Session::add_selection(const Json& selection) {
    VITRINE_TRY(state_->check_writable());
    return guarded(state_->folder, [&]() -> Status {
        SQLite::Statement add(state_->database,
                              "INSERT INTO selection_history (made, selection) VALUES (?, ?)");
        add.bind(1, utc_now());
        add.bind(2, dump_json(selection));
        add.exec();
        return {};
    });
}

Result<std::vector<Json>> Session::selections(int newest) const {
    return guarded(state_->folder, [&]() -> Result<std::vector<Json>> {
        SQLite::Statement row(state_->database,
                              "SELECT selection FROM (SELECT id, selection FROM selection_history "
                              "ORDER BY id DESC LIMIT ?) ORDER BY id");
        row.bind(1, newest);
        std::vector<Json> selections;
        while (row.executeStep()) {
            VITRINE_ASSIGN(Json selection, parse_json(row.getColumn(0).getString(), "A stored selection"));
            selections.push_back(std::move(selection));
        }
        return selections;
    });
}

} // namespace vitrine::session
