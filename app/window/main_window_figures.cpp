// Figures that leave the program, and what is dropped on the window.
#include <QDir>
#include <QDragEnterEvent>
#include <QFileInfo>
#include <QMimeData>

#include "app/window/exporter.h"
#include "app/window/main_window.h"
#include "app/window/view_state.h"
#include "core/formats/gguf.h"
#include "views/figure/provenance.h"

namespace vitrine::window {

void MainWindow::export_canvas(views::FigureCanvas* canvas) {
    if (!canvas) return;
    // What leaves the program is a step of the session.
    runner_->commit();
    if (attention_->isAncestorOf(canvas)) measures_->record_shown();
    if (heads_->isAncestorOf(canvas)) heads_feed_->record_shown();
    if (training_->isAncestorOf(canvas)) training_->record_shown();
    if (lanes_->page().isAncestorOf(canvas)) lanes_->record_shown();
    for (const auto& [name, page] : analyses_)
        if (page->isAncestorOf(canvas)) page->record_shown();
    export_with_dialog(this, bench_, canvas, view(), [this](const QString& said) { status_->say(said); });
}

void MainWindow::open_figure(const std::filesystem::path& file) {
    const auto provenance = figure::read_provenance(file);
    if (!provenance) {
        status_->say(QString::fromStdString(provenance.error().message));
        return;
    }
    Json state = part(*provenance, "view");
    if (!state.is_object()) { // drawn by the command line: the same analysis on the same tokens
        const Json& rows = part(*provenance, "ids");
        const Json& ids = rows.is_array() && !rows.empty() && rows.front().is_array() ? rows.front() : rows;
        std::vector<std::int32_t> tokens;
        if (ids.is_array())
            for (const Json& id : ids)
                if (id.is_number_integer()) tokens.push_back(id.get<std::int32_t>());
        if (tokens.empty() || !bench_.model() || !bench_.model()->tokenizer) {
            status_->say(tr("%1 names no text that could be shown.")
                             .arg(QString::fromStdString(file.filename().string())));
            return;
        }
        state = {
            {"prompt", bench_.model()->tokenizer->decode(tokens, true)},
            {"page", tr("Analyses").toStdString()},
            {"pages",
             {{tr("Analyses").toStdString(),
               {{"analysis", part(*provenance, "analysis")}, {"values", part(*provenance, "parameters")}}}}}};
        connect(
            runner_, &Runner::arrived, this, [this] { analysis_page(tr("Analyses"))->run(false); },
            Qt::SingleShotConnection);
    } else if (text_in(state, "page") == tr("Analyses")) {
        connect(
            runner_, &Runner::arrived, this, [this] { analysis_page(tr("Analyses"))->run(false); },
            Qt::SingleShotConnection);
    }
    desk_.set_pinned(nullptr);
    apply_view(state);
    const QString weights = text_in(*provenance, "weights_hash");
    const bool same = bench_.model() && weights == QString::fromStdString(bench_.model()->model.weights_hash);
    status_->say(
        same ? tr("Shown as in %1.").arg(QString::fromStdString(file.filename().string()))
             : tr("%1 was made with other weights (model %2): open that model to see its numbers.")
                   .arg(QString::fromStdString(file.filename().string()), text_in(*provenance, "model")));
}

void MainWindow::dragEnterEvent(QDragEnterEvent* event) {
    if (event->mimeData()->hasUrls()) event->acceptProposedAction();
}

void MainWindow::dropEvent(QDropEvent* event) {
    for (const QUrl& url : event->mimeData()->urls()) {
        const QFileInfo dropped(url.toLocalFile());
        if (!url.isLocalFile() || !dropped.exists()) continue;
        event->acceptProposedAction();
        const bool is_model = dropped.isFile() && formats::is_gguf(dropped.filePath().toStdString());
        if (dropped.isFile() && dropped.suffix().toLower() == QLatin1String("zip")) {
            // Beside the zip, in a folder that is not there yet.
            QString folder = dropped.dir().filePath(dropped.completeBaseName() + QStringLiteral(".vitrine"));
            for (int number = 2; QFileInfo::exists(folder); ++number)
                folder = dropped.dir().filePath(
                    QStringLiteral("%1-%2.vitrine").arg(dropped.completeBaseName()).arg(number));
            session_actions_->import_from(dropped.filePath().toStdString(), folder.toStdString());
        } else if (!dropped.isDir() && !is_model) {
            open_figure(dropped.filePath().toStdString());
        } else if (!is_model && QDir(dropped.filePath()).exists(QStringLiteral("session.sqlite"))) {
            open_session(dropped.filePath().toStdString());
        } else {
            engine::ModelRequest request = top_->request();
            request.name = dropped.filePath().toStdString();
            bench_.open_model(request);
        }
        return;
    }
}

} // namespace vitrine::window
