#include "app/window/session_keeper.h"

#include <QDateTime>
#include <QEventLoop>
#include <algorithm>

#include "app/window/edit_texts.h"
#include "app/window/runner.h"
#include "core/run/spec_json.h"
#include "core/store/activation_reader.h"

namespace vitrine::window {

namespace {

constexpr const char* state_key = "window";
constexpr const char* notes_key = "notes";
constexpr int delay_ms = 400;
constexpr std::size_t most_entries = 300; ///< in the list; the journal has all

struct JournalRow {
    session::Step step;
    run::RunSpec run; ///< its rows and interventions; of a generation or analysis the prompt's
    std::string analysis;
    Json parameters;
};

JournalRow row_of(const session::Step& step) {
    JournalRow out{step, {}, {}, Json::object()};
    const auto spec = parse_json(step.spec, "step");
    if (!spec || !spec->is_object()) return out;
    // A run's spec is under "run", a generation's prompt and an analysis' rows one deeper.
    static const Json none = Json::object();
    const auto part = [](const Json& json, const char* name) -> const Json& {
        const auto found = json.find(name);
        return found != json.end() && found->is_object() ? *found : none;
    };
    const Json& analysis = part(*spec, "analyze");
    const Json& run = step.kind == "generate"  ? part(part(*spec, "generate"), "prompt")
                      : step.kind == "analyze" ? part(analysis, "run")
                                               : part(*spec, "run");
    if (auto read = run::run_spec_from_json(run)) out.run = std::move(*read);
    if (step.kind == "analyze") {
        out.analysis = analysis.value("id", std::string());
        out.parameters = part(analysis, "parameters");
    }
    return out;
}

QString kind_words(const JournalRow& row) {
    if (row.step.kind == "generate") return QObject::tr("generated");
    if (row.step.kind == "analyze") return QString::fromStdString(row.analysis);
    return row.run.edits.empty() && row.run.attention.window == 0 ? QString() : QObject::tr("edited");
}

/// Whether special tokens stand in the midst of these, as a conversation has them.
bool has_special_inside(const tokenizer::Tokenizer& tokenizer, const std::vector<std::int32_t>& ids) {
    return ids.size() > 1 &&
           std::any_of(ids.begin() + 1, ids.end(), [&](std::int32_t id) { return tokenizer.is_special(id); });
}

views::RunEntry entry_of(const JournalRow& row, const engine::OpenModel* model) {
    views::RunEntry out;
    out.step = row.step.seq;
    out.kind = QString::fromStdString(row.step.kind);
    const auto text = [&](std::size_t at) {
        return model && model->tokenizer && at < row.run.rows.size()
                   ? QString::fromStdString(model->tokenizer->decode(row.run.rows[at].ids, true))
                   : QString();
    };
    out.prompt = text(0);
    if (!row.run.rows.empty()) out.ids = row.run.rows.front().ids;
    out.spelled = model && model->tokenizer && has_special_inside(*model->tokenizer, out.ids);
    if (out.spelled) out.prompt = QString::fromStdString(model->tokenizer->decode(out.ids, false));
    out.beside = text(1);
    out.analysis = QString::fromStdString(row.analysis);
    out.parameters = row.parameters;
    out.edits = texts_of(row.run);
    const QDateTime when =
        QDateTime::fromString(QString::fromStdString(row.step.started), Qt::ISODateWithMs).toLocalTime();
    const std::size_t length = row.run.rows.empty() ? 0 : row.run.rows.front().ids.size();
    const QString tokens = length == 1 ? QObject::tr(" · 1 token") : QObject::tr(" · %1 tokens").arg(length);
    const bool today = when.date() == QDate::currentDate();
    out.when = when.toString(today ? QStringLiteral("HH:mm") : QStringLiteral("d MMM"));
    const QString kind = kind_words(row);
    out.when += kind.isEmpty() ? tokens : QStringLiteral(" · ") + kind;
    out.group = today ? QObject::tr("Today") : QObject::tr("Earlier");
    out.started = when.toString(today ? QStringLiteral("HH:mm:ss") : QStringLiteral("d MMM HH:mm:ss"));
    if (row.step.ms) out.took = figure::number(*row.step.ms) + QStringLiteral(" ms");
    out.device = QString::fromStdString(row.step.device.name);
    out.status = QString::fromLatin1(session::status_name(row.step.status).data());
    out.details = QObject::tr("step %1 · %2 · %3 · %4")
                      .arg(row.step.seq)
                      .arg(out.kind, QString::fromStdString(row.step.device.name),
                           QString::fromStdString(row.step.precision));
    if (row.step.ms) out.details += QStringLiteral(" · %1 ms").arg(figure::number(*row.step.ms));
    if (!out.edits.isEmpty()) out.details += QLatin1Char('\n') + out.edits.join(QLatin1Char('\n'));
    if (!row.step.error.empty()) out.details += QLatin1Char('\n') + QString::fromStdString(row.step.error);
    return out;
}

} // namespace

SessionKeeper::SessionKeeper(Bench& bench, QObject* parent) : QObject(parent), bench_(bench) {
    delay_.setSingleShot(true);
    delay_.setInterval(delay_ms);
    connect(&delay_, &QTimer::timeout, this, &SessionKeeper::write);
    connect(&bench_, &Bench::model_changed, this,
            &SessionKeeper::refresh); // texts are decoded with its tokenizer
}

void SessionKeeper::open(const std::filesystem::path& folder) {
    folder_ = folder;
    open_ = false;
    bench_.post(
        this, {}, "open the session",
        [folder](engine::Engine& engine, const CancelToken&, const Progress&) -> Result<Json> {
            std::error_code ignored;
            std::filesystem::create_directories(folder.parent_path(), ignored); // a failure shows itself next
            VITRINE_TRY(engine.open_session(folder));
            VITRINE_ASSIGN(const auto state, engine.session()->view_state(state_key));
            VITRINE_ASSIGN(const auto notes, engine.session()->view_state(notes_key));
            return Json{{"state", state.value_or(Json())}, {"notes", notes.value_or(Json(""))}};
        },
        [this](Result<Json> state) {
            if (!state) {
                emit refused(QString::fromStdString(state.error().message));
                return;
            }
            open_ = true;
            const Json& notes = (*state)["notes"];
            emit notes_read(notes.is_string() ? QString::fromStdString(notes.get<std::string>()) : QString());
            emit opened((*state)["state"]);
            refresh();
        });
}

void SessionKeeper::remember(const Json& state) {
    if (!open_) return;
    pending_ = state;
    if (!delay_.isActive()) delay_.start();
}

void SessionKeeper::remember_notes(const QString& text) {
    if (!open_) return;
    pending_notes_ = text;
    if (!delay_.isActive()) delay_.start();
}

void SessionKeeper::write() {
    if (pending_.is_null() && !pending_notes_) {
        emit flushed();
        return;
    }
    bench_.post(
        this, {}, "remember the window",
        [state = std::exchange(pending_, Json()), notes = std::exchange(pending_notes_, std::nullopt)](
            engine::Engine& engine, const CancelToken&, const Progress&) -> Status {
            if (!engine.session()) return {};
            if (notes) VITRINE_TRY(engine.session()->set_view_state(notes_key, Json(notes->toStdString())));
            return state.is_null() ? Status() : engine.session()->set_view_state(state_key, state);
        },
        [this](Status written) {
            if (!written) emit refused(QString::fromStdString(written.error().message));
            emit flushed();
        });
}

void SessionKeeper::flush() {
    if (!open_) return;
    delay_.stop();
    QEventLoop wait;
    connect(this, &SessionKeeper::flushed, &wait, &QEventLoop::quit);
    QTimer::singleShot(1000, &wait, &QEventLoop::quit);
    QTimer::singleShot(0, this, &SessionKeeper::write);
    wait.exec();
}

void SessionKeeper::refresh() {
    if (!open_) return;
    bench_.post(
        this, "journal", "read the journal",
        [](engine::Engine& engine, const CancelToken&, const Progress&) -> Result<std::vector<JournalRow>> {
            std::vector<JournalRow> out;
            if (!engine.session()) return out;
            VITRINE_ASSIGN(const auto steps, engine.session()->steps());
            for (std::size_t i = steps.size(); i-- > 0 && out.size() < most_entries;)
                out.push_back(row_of(steps[i]));
            return out;
        },
        [this](Result<std::vector<JournalRow>> rows) {
            if (!rows) {
                emit refused(QString::fromStdString(rows.error().message));
                return;
            }
            entries_.clear();
            for (const JournalRow& row : *rows)
                entries_.push_back(entry_of(row, bench_.model().get()));
            emit entries_changed();
        });
}

void SessionKeeper::read_generated(std::int64_t step,
                                   std::function<void(const std::vector<std::int32_t>&)> then) {
    bench_.post(
        this, "generated", "read what was generated",
        [step](engine::Engine& engine, const CancelToken&,
               const Progress&) -> Result<std::vector<std::int32_t>> {
            std::vector<std::int32_t> ids;
            if (!engine.session()) return ids;
            VITRINE_ASSIGN(const auto detail, engine.session()->step(step));
            for (const session::Artifact& artifact : detail.artifacts) {
                if (artifact.dataset != "/row0/tokens") continue;
                VITRINE_ASSIGN(const auto file,
                               store::ActivationReader::open(engine.session()->folder() / artifact.file));
                VITRINE_ASSIGN(const Tensor tokens, file.read(artifact.dataset));
                for (const float id : tokens.data)
                    ids.push_back(static_cast<std::int32_t>(id));
            }
            return ids;
        },
        [this, then = std::move(then)](const Result<std::vector<std::int32_t>>& ids) {
            if (!ids) emit refused(QString::fromStdString(ids.error().message));
            then(ids.value_or(std::vector<std::int32_t>()));
        });
}

const views::RunEntry* SessionKeeper::entry(std::int64_t step) const {
    for (const views::RunEntry& entry : entries_)
        if (entry.step == step) return &entry;
    return nullptr;
}

} // namespace vitrine::window
