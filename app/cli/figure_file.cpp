#include "app/cli/figure_file.h"

#include <QGuiApplication>
#include <fmt/format.h>

#include "views/figure/export.h"
#include "views/figure/figure_for.h"

namespace vitrine::cli {

Status check_figure_suffix(const std::filesystem::path& file) {
    const std::string suffix = file.extension().string();
    if (suffix == ".svg" || suffix == ".pdf" || suffix == ".png") return {};
    return fail(Code::usage, fmt::format("{}: figures are written as .svg, .pdf or .png.", file.string()));
}

Status write_figure(const std::filesystem::path& file, const engine::AnalysisRecord& record) {
    // Drawing needs no display, and standard error belongs to our own sentences.
    qputenv("QT_QPA_PLATFORM", "offscreen");
    qInstallMessageHandler([](QtMsgType, const QMessageLogContext&, const QString&) {});
    int count = 1;
    char name[] = "vitrine-cli";
    char* arguments[] = {name, nullptr};
    const QGuiApplication application(count, arguments);
    const figure::Theme theme = figure::make_theme(false);
    const auto picture = figure::figure_for(record.results, theme);
    if (!picture)
        return fail(Code::unsupported,
                    fmt::format("The results of {} have no figure; --data writes them.", record.id));
    figure::ExportOptions options;
    options.title = record.id;
    options.provenance = record.provenance;
    options.provenance["analysis"] = record.id;
    options.provenance["parameters"] = record.parameters;
    return figure::export_figure(*picture, file, theme, options);
}

} // namespace vitrine::cli
