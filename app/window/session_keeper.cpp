#include "app/window/session_keeper.h"

#include <QDateTime>
#include <QEventLoop>

#include "app/window/runner.h"

namespace vitrine::window {

namespace {

constexpr const char* state_key = "window";
constexpr int delay_ms = 400;
constexpr std::size_t most_entries = 300; ///< in the list; the journal has all

struct JournalRow {
    session::Step step;
    std::vector<std::int32_t> ids; ///< of the first row, where the step has one
};

JournalRow row_of(const session::Step& step) {
    JournalRow out{step, {}};
    const auto spec = parse_json(step.spec, "step");
    if (!spec) return out;
    // A run's spec is under "run", a generation's prompt one deeper.
    static const Json none = Json::object();
    const auto part = [](const Json& json, const char* name) -> const Json& {
        const auto found = json.find(name);
        return found != json.end() && found->is_object() ? *found : none;
    };
    const Json& run = part(*spec, "run");
    if (const auto rows = run.find("rows"); rows != run.end() && rows->is_array() && !rows->empty())
        if (const auto ids = rows->front().find("ids"); ids != rows->front().end() && ids->is_array())
            for (const Json& id : *ids)
                if (id.is_number_integer()) out.ids.push_back(id.get<std::int32_t>());
    return out;
}

views::RunEntry entry_of(const JournalRow& row, const engine::OpenModel* model) {
    views::RunEntry out;
    out.step = row.step.seq;
    out.kind = QString::fromStdString(row.step.kind);
    if (model && model->tokenizer)
        out.prompt = QString::fromStdString(model->tokenizer->decode(row.ids, true));
    const QDateTime when =
        QDateTime::fromString(QString::fromStdString(row.step.started), Qt::ISODateWithMs).toLocalTime();
    const QString tokens = QObject::tr(" · %1 tokens").arg(row.ids.size());
    const bool today = when.date() == QDate::currentDate();
    out.when = when.toString(today ? QStringLiteral("HH:mm") : QStringLiteral("d MMM"));
    out.when += tokens;
    out.group = today ? QObject::tr("Today") : QObject::tr("Earlier");
    out.status = QString::fromLatin1(session::status_name(row.step.status).data());
    out.details = QObject::tr("step %1 · %2 · %3 · %4")
                      .arg(row.step.seq)
                      .arg(out.kind, QString::fromStdString(row.step.device.name),
                           QString::fromStdString(row.step.precision));
    if (row.step.ms) out.details += QStringLiteral(" · %1 ms").arg(figure::number(*row.step.ms));
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
            return state.value_or(Json());
        },
        [this](Result<Json> state) {
            if (!state) {
                emit refused(QString::fromStdString(state.error().message));
                return;
            }
            open_ = true;
            emit opened(*state);
            refresh();
        });
}

void SessionKeeper::remember(const Json& state) {
    if (!open_) return;
    pending_ = state;
    if (!delay_.isActive()) delay_.start();
}

void SessionKeeper::write() {
    if (pending_.is_null()) {
        emit flushed();
        return;
    }
    bench_.post(
        this, {}, "remember the window",
        [state = std::exchange(pending_, Json())](engine::Engine& engine, const CancelToken&,
                                                  const Progress&) -> Status {
            if (!engine.session()) return {};
            return engine.session()->set_view_state(state_key, state);
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
                if (row.step.kind == "run") entries_.push_back(entry_of(row, bench_.model().get()));
            emit entries_changed();
        });
}

const views::RunEntry* SessionKeeper::entry(std::int64_t step) const {
    for (const views::RunEntry& entry : entries_)
        if (entry.step == step) return &entry;
    return nullptr;
}

} // namespace vitrine::window
