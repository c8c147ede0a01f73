#include "app/window/exporter.h"

#include <QFileDialog>
#include <QSettings>

#include "core/engine/export_data.h"
#include "views/figure/export.h"

namespace vitrine::window {

namespace {

constexpr const char* folder_key = "export-folder";

QString suffix_of(const QString& filter) {
    const qsizetype from = filter.indexOf(QStringLiteral("*.")) + 1;
    return filter.mid(from, filter.indexOf(QLatin1Char(')')) - from);
}

} // namespace

bool is_data_file(const std::filesystem::path& file) {
    const std::string suffix = file.extension().string();
    return suffix == ".csv" || suffix == ".npz" || suffix == ".h5";
}

Status write_picture(const views::FigureCanvas& canvas, const std::filesystem::path& file, const Json& view) {
    figure::ExportOptions options;
    options.size = canvas.frame().size();
    options.title = canvas.source().name.toStdString();
    options.provenance = canvas.source().provenance;
    options.provenance["view"] = view;
    figure::Theme theme = figure::make_theme(false); // paper is white
    canvas.picture()->for_file(true);
    const Status written = figure::export_figure(*canvas.picture(), file, theme, options);
    canvas.picture()->for_file(false);
    return written;
}

void write_numbers(Bench& bench, views::FigureCanvas* canvas, const std::filesystem::path& file,
                   const std::function<void(const QString&)>& say) {
    if (!canvas->source().results) {
        say(canvas->source().why_no_results.isEmpty()
                ? QObject::tr("This view has no numbers to write; export the picture.")
                : canvas->source().why_no_results);
        return;
    }
    const views::FigureSource& source = canvas->source();
    engine::DataSource origin;
    origin.analysis = source.provenance.value("analysis", source.name.toStdString());
    origin.parameters = source.provenance.value("parameters", Json::object());
    origin.provenance = source.provenance;
    bench.post(
        &bench, {}, "write " + file.filename().string(),
        [file, origin, results = source.results](engine::Engine&, const CancelToken&, const Progress&) {
            return engine::export_data(file, origin, results());
        },
        [file, say](const Status& written) {
            say(written ? QObject::tr("Written: %1").arg(QString::fromStdString(file.string()))
                        : QString::fromStdString(written.error().message));
        });
}

void export_with_dialog(QWidget* parent, Bench& bench, views::FigureCanvas* canvas, const Json& view,
                        const std::function<void(const QString&)>& say) {
    if (!canvas || !canvas->picture()) return;
    QStringList filters = {QObject::tr("Figure, SVG (*.svg)"), QObject::tr("Figure, PDF (*.pdf)"),
                           QObject::tr("Figure, PNG (*.png)")};
    if (canvas->source().results)
        filters << QObject::tr("Numbers, CSV (*.csv)") << QObject::tr("Numbers, NPZ (*.npz)")
                << QObject::tr("Numbers, HDF5 (*.h5)");
    QSettings settings;
    const QString name = canvas->source().name.isEmpty() ? QStringLiteral("figure") : canvas->source().name;
    const QString folder = settings.value(QLatin1String(folder_key)).toString();
    QString chosen = filters.front();
    QString file = QFileDialog::getSaveFileName(parent, QObject::tr("Export figure or numbers"),
                                                (folder.isEmpty() ? QString() : folder + QLatin1Char('/')) +
                                                    name + QStringLiteral(".svg"),
                                                filters.join(QStringLiteral(";;")), &chosen);
    if (file.isEmpty()) return;
    // The filter decides where the name does not, also when the name proposed was left as it stood.
    const QString wanted = suffix_of(chosen);
    if (QFileInfo(file).suffix().isEmpty())
        file += wanted;
    else if (wanted != QLatin1String(".svg") && file.endsWith(name + QStringLiteral(".svg")))
        file.replace(file.size() - 4, 4, wanted);
    settings.setValue(QLatin1String(folder_key), QFileInfo(file).absolutePath());
    const std::filesystem::path path = file.toStdString();
    if (is_data_file(path)) {
        write_numbers(bench, canvas, path, say);
        return;
    }
    const Status written = write_picture(*canvas, path, view);
    say(written ? QObject::tr("Written: %1").arg(file) : QString::fromStdString(written.error().message));
}

} // namespace vitrine::window
