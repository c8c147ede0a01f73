#include "views/figure/export.h"

#include <QBuffer>
#include <QImage>
#include <QImageWriter>
#include <QPageSize>
#include <QPdfWriter>
#include <QSaveFile>
#include <QSvgGenerator>
#include <fmt/format.h>

namespace vitrine::figure {

namespace {

constexpr double margin = 12;
constexpr int dots_per_inch = 96;

void paint_whole(QPainter& painter, const Picture& picture, const QSizeF& page, const Theme& theme) {
    painter.setRenderHint(QPainter::Antialiasing);
    painter.fillRect(QRectF(QPointF(0, 0), page), theme.panel);
    const QRectF in = QRectF(QPointF(0, 0), page).adjusted(margin, margin, -margin, -margin);
    picture.paint(painter, in, theme);
    picture.paint_marks(painter, in, theme, std::nullopt);
}

// Adobe's packet, in which archives and reference managers look for a description.
QByteArray xmp_packet(const QString& title, const QString& provenance) {
    return QStringLiteral("<?xpacket begin=\"\xEF\xBB\xBF\" id=\"W5M0MpCehiHzreSzNTczkc9d\"?>"
                          "<x:xmpmeta xmlns:x=\"adobe:ns:meta/\">"
                          "<rdf:RDF xmlns:rdf=\"http://www.w3.org/1999/02/22-rdf-syntax-ns#\">"
                          "<rdf:Description rdf:about=\"\" xmlns:dc=\"http://purl.org/dc/elements/1.1/\">"
                          "<dc:title><rdf:Alt><rdf:li xml:lang=\"x-default\">%1</rdf:li></rdf:Alt></dc:title>"
                          "<dc:description><rdf:Alt><rdf:li "
                          "xml:lang=\"x-default\">%2</rdf:li></rdf:Alt></dc:description>"
                          "</rdf:Description></rdf:RDF></x:xmpmeta><?xpacket end=\"w\"?>")
        .arg(title.toHtmlEscaped(), provenance.toHtmlEscaped())
        .toUtf8();
}

} // namespace

Status export_figure(const Picture& picture, const std::filesystem::path& file, const Theme& theme,
                     const ExportOptions& options) {
    const QString suffix = QString::fromStdString(file.extension().string()).toLower();
    if (suffix != QLatin1String(".svg") && suffix != QLatin1String(".pdf") && suffix != QLatin1String(".png"))
        return fail(
            Code::usage,
            fmt::format("{}: a figure is written as .svg, .pdf or .png; choose one of these suffixes.",
                        file.string()));
    const QSizeF inner = options.size.isEmpty() ? picture.preferred_size(theme) : options.size;
    const QSizeF page =
        QSizeF(std::ceil(inner.width()), std::ceil(inner.height())) + QSizeF(2 * margin, 2 * margin);
    const QString title = QString::fromStdString(options.title);
    const QString provenance =
        QString::fromStdString(options.provenance.is_null() ? "" : dump_json(options.provenance));

    // Drawn before it is written: what Qt and libpng say of a full disk is no sentence of ours.
    QByteArray bytes;
    QBuffer drawn(&bytes);
    drawn.open(QIODevice::WriteOnly);
    bool done = true;
    if (suffix == QLatin1String(".svg")) {
        QSvgGenerator svg;
        svg.setOutputDevice(&drawn);
        svg.setResolution(dots_per_inch);
        svg.setSize(page.toSize());
        svg.setViewBox(QRectF(QPointF(0, 0), page));
        svg.setTitle(title.toHtmlEscaped()); // Qt 6.4 writes both as they are
        svg.setDescription(provenance.toHtmlEscaped());
        QPainter painter(&svg);
        paint_whole(painter, picture, page, theme);
        done = painter.end();
    } else if (suffix == QLatin1String(".pdf")) {
        QPdfWriter pdf(&drawn);
        pdf.setResolution(dots_per_inch);
        pdf.setPageMargins(QMarginsF());
        pdf.setPageSize(QPageSize(page * 72.0 / dots_per_inch, QPageSize::Point));
        pdf.setTitle(title);
        pdf.setCreator(QStringLiteral("Vitrine"));
        pdf.setDocumentXmpMetadata(xmp_packet(title, provenance));
        QPainter painter(&pdf);
        paint_whole(painter, picture, page, theme);
        done = painter.end();
    } else {
        QImage image((page * options.scale).toSize(), QImage::Format_ARGB32_Premultiplied);
        if (image.isNull())
            return fail(
                Code::too_large,
                fmt::format("{}: an image of {:.0f} × {:.0f} pixels does not fit; choose a smaller scale.",
                            file.string(), page.width() * options.scale, page.height() * options.scale));
        image.setDevicePixelRatio(options.scale);
        QPainter painter(&image);
        paint_whole(painter, picture, page, theme);
        painter.end();
        image.setText(QStringLiteral("Title"), title);
        image.setText(QStringLiteral("Description"), provenance);
        image.setText(QStringLiteral("Software"), QStringLiteral("Vitrine"));
        QImageWriter writer(&drawn, "png");
        done = writer.write(image);
    }
    if (!done)
        return fail(Code::out_of_memory,
                    fmt::format("{}: the figure could not be drawn; choose a smaller one.", file.string()));
    QSaveFile target(QString::fromStdString(file.string()));
    if (!target.open(QIODevice::WriteOnly) || target.write(bytes) != bytes.size() || !target.commit())
        return fail(Code::io,
                    fmt::format("{}: cannot be written ({}); make room on the disk or choose another folder.",
                                file.string(), target.errorString().toStdString()));
    return {};
}

} // namespace vitrine::figure
