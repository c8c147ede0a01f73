#include "app/window/session_actions.h"

#include <QFileDialog>
#include <QSaveFile>
#include <algorithm>

#include "core/engine/replay.h"
#include "core/session/bundle.h"
#include "views/figure/text.h"

namespace vitrine::window {

namespace {

QString text_of(const Error& error) { return QString::fromStdString(error.message); }

QString megabytes(std::int64_t bytes) {
    return figure::number(static_cast<double>(bytes) / 1e6) + QStringLiteral(" MB");
}

// Tensors inside a spec are long and say nothing to the eye.
void shorten(Json& json) {
    if (json.is_object() || json.is_array())
        for (Json& part : json)
            shorten(part);
    else if (json.is_string() && json.get_ref<const std::string&>().size() > 400)
        json = json.get<std::string>().substr(0, 80) + "…";
}

QString words_of(const session::StepDetail& detail) {
    const session::Step& step = detail.step;
    QString out = QObject::tr("step %1 · %2 · %3\n")
                      .arg(step.seq)
                      .arg(QString::fromStdString(step.kind),
                           QString::fromLatin1(session::status_name(step.status).data()));
    out += QString::fromStdString(step.started);
    if (step.ms) out += QObject::tr(" · took %1 ms").arg(figure::number(*step.ms));
    out += QLatin1Char('\n') + QString::fromStdString(step.device.name + ", " + step.precision + "\n" +
                                                      step.device.detail + "\n");
    if (step.model)
        out += QString::fromStdString("model " + step.model->path + "\nweights " + step.model->weights_hash +
                                      "\n");
    if (!step.error.empty()) out += QString::fromStdString(step.error) + QLatin1Char('\n');
    for (const session::Artifact& artifact : detail.artifacts) {
        QStringList shape;
        for (const auto size : artifact.shape)
            shape << QString::number(size);
        out += QStringLiteral("\n%1  [%2] %3")
                   .arg(QString::fromStdString(artifact.dataset), shape.join(QStringLiteral(", ")),
                        QString::fromStdString(artifact.dtype));
    }
    if (!detail.artifacts.empty())
        out += QStringLiteral("\nin ") + QString::fromStdString(detail.artifacts.front().file) +
               QLatin1Char('\n');
    out += QObject::tr("\nspec %1\n").arg(QString::fromStdString(step.spec_hash));
    if (auto spec = parse_json(step.spec, "step")) {
        shorten(*spec);
        out += QString::fromStdString(spec->dump(1, ' ', false, Json::error_handler_t::replace));
    }
    return out;
}

} // namespace

SessionActions::SessionActions(Bench& bench, SessionKeeper& keeper, views::SessionPage& page, QObject* parent)
    : QObject(parent), bench_(bench), keeper_(keeper), page_(page) {
    connect(&page_, &views::SessionPage::detail_wanted, this, &SessionActions::show_detail);
    connect(&page_, &views::SessionPage::replay_wanted, this, &SessionActions::replay);
    connect(&page_, &views::SessionPage::clean_wanted, this, &SessionActions::clean);
    connect(&page_, &views::SessionPage::table_wanted, this, [this](const QString& name, const QString& csv) {
        const QString file = QFileDialog::getSaveFileName(
            &page_, tr("Save the table"), name + QStringLiteral(".csv"), tr("Numbers, CSV (*.csv)"));
        if (!file.isEmpty()) write_table(file.toStdString(), csv);
    });
    connect(&page_, &views::SessionPage::export_wanted, this, [this] {
        const QString file = QFileDialog::getSaveFileName(
            &page_, tr("Export the session"),
            QString::fromStdString(keeper_.folder().stem().string()) + QStringLiteral(".zip"),
            tr("Session (*.zip)"));
        if (!file.isEmpty()) export_to(file.toStdString());
    });
    connect(&page_, &views::SessionPage::import_wanted, this, [this] {
        const QString file =
            QFileDialog::getOpenFileName(&page_, tr("Import a session"), {}, tr("Session (*.zip)"));
        if (file.isEmpty()) return;
        const QFileInfo zip(file);
        const QString folder = QFileDialog::getSaveFileName(
            &page_, tr("New folder for the session"),
            zip.dir().filePath(zip.completeBaseName() + QStringLiteral(".vitrine")));
        if (!folder.isEmpty()) import_from(file.toStdString(), folder.toStdString());
    });
}

void SessionActions::say(const QString& sentence) {
    page_.say(sentence);
    emit finished();
}

void SessionActions::show_detail(std::int64_t seq) {
    bench_.post(
        this, "step detail", "read a step",
        [seq](engine::Engine& engine, const CancelToken&, const Progress&) -> Result<QString> {
            if (!engine.session()) return QString();
            VITRINE_ASSIGN(const auto detail, engine.session()->step(seq));
            return words_of(detail);
        },
        [this, seq](const Result<QString>& text) {
            page_.show_detail(seq, text ? *text : text_of(text.error()));
        });
}

void SessionActions::replay() {
    page_.say(tr("Replaying: every step is done again in a scratch session."));
    bench_.post(
        this, "replay", "replay the session",
        // What is typed meanwhile comes first; the replay goes on after it where it was.
        [replay = std::make_shared<engine::Replay>()](
            engine::Engine& engine, const CancelToken& cancel,
            const Progress& progress) -> Result<std::vector<engine::ReplayedStep>> {
            if (!engine.session()) return fail(Code::session, "No session is open: open one to replay it.");
            return replay->go_on(*engine.session(), cancel, progress);
        },
        [this](const Result<std::vector<engine::ReplayedStep>>& replayed) {
            if (!replayed) {
                say(text_of(replayed.error()));
                return;
            }
            std::vector<views::DriftRow> rows;
            std::array<int, 4> verdicts{};
            for (const engine::ReplayedStep& step : *replayed)
                for (const store::Drift& drift : step.drift) {
                    ++verdicts[static_cast<std::size_t>(drift.comparison.verdict)];
                    rows.push_back({step.seq, QString::fromStdString(drift.artifact),
                                    QString::fromLatin1(store::verdict_name(drift.comparison.verdict).data()),
                                    figure::number(drift.comparison.nmse),
                                    figure::number(drift.comparison.max_abs),
                                    QString::fromStdString(step.device + ", " + step.precision)});
                }
            std::stable_sort(rows.begin(), rows.end(), [](const auto& a, const auto& b) {
                const auto good = [](const views::DriftRow& row) {
                    return row.verdict == QLatin1String("identical");
                };
                return !good(a) && good(b); // what differs comes first
            });
            page_.show_drift(rows, tr("%1 steps replayed: %2 values identical, %3 within the tolerance, %4 "
                                      "drifted, %5 damaged.")
                                       .arg(replayed->size())
                                       .arg(verdicts[0])
                                       .arg(verdicts[1])
                                       .arg(verdicts[2])
                                       .arg(verdicts[3]));
            emit finished();
        },
        engine::Priority::background);
}

void SessionActions::export_to(const std::filesystem::path& zip) {
    bench_.post(
        this, {}, "export the session",
        [folder = keeper_.folder(), zip](engine::Engine&, const CancelToken& cancel,
                                         const Progress& progress) {
            return session::export_session(folder, zip, cancel, progress);
        },
        [this, zip](const Result<std::vector<session::BundleFile>>& files) {
            if (!files) {
                say(text_of(files.error()));
                return;
            }
            std::int64_t bytes = 0;
            for (const session::BundleFile& file : *files)
                bytes += file.bytes;
            say(tr("Written: %1, %2 files, %3.")
                    .arg(QString::fromStdString(zip.string()))
                    .arg(files->size())
                    .arg(megabytes(bytes)));
        });
}

void SessionActions::write_table(const std::filesystem::path& file, const QString& csv) {
    QSaveFile out(QString::fromStdString(file.string()));
    const QByteArray bytes = csv.toUtf8();
    const bool written = out.open(QIODevice::WriteOnly) && out.write(bytes) == bytes.size() && out.commit();
    say(written
            ? tr("Written: %1").arg(out.fileName())
            : tr("%1 cannot be written (%2): choose another place.").arg(out.fileName(), out.errorString()));
}

void SessionActions::import_from(const std::filesystem::path& zip, const std::filesystem::path& folder) {
    bench_.post(
        this, {}, "import a session",
        [zip, folder](engine::Engine&, const CancelToken& cancel, const Progress& progress) {
            return session::import_session(zip, folder, cancel, progress);
        },
        [this, folder](const Result<std::vector<session::BundleFile>>& files) {
            if (!files) {
                say(text_of(files.error()));
                return;
            }
            say(tr("Imported into %1.").arg(QString::fromStdString(folder.string())));
            emit imported(folder);
        });
}

void SessionActions::clean() {
    bench_.post(
        this, {}, "clean the session",
        [folder = keeper_.folder()](engine::Engine& engine, const CancelToken&,
                                    const Progress&) -> Result<session::Cleaned> {
            engine.close_session(); // cleaning needs the writer's lock
            auto cleaned = session::clean_session(folder);
            VITRINE_TRY(engine.open_session(folder));
            return cleaned;
        },
        [this](const Result<session::Cleaned>& cleaned) {
            say(cleaned ? tr("%1 files removed, %2 freed.")
                              .arg(cleaned->removed.size())
                              .arg(megabytes(cleaned->freed))
                        : text_of(cleaned.error()));
        });
}

} // namespace vitrine::window
