#include "views/figure/provenance.h"

#include <QFile>
#include <QImageReader>
#include <QXmlStreamReader>
#include <fmt/format.h>

namespace vitrine::figure {

namespace {

constexpr qint64 largest = 256 << 20; ///< bytes; no figure of ours comes near

// Text of the first element of that name that is not empty, anywhere beneath it.
QString element_text(const QByteArray& xml, QLatin1StringView name) {
    QXmlStreamReader reader(xml);
    while (!reader.atEnd())
        if (reader.readNext() == QXmlStreamReader::StartElement && reader.name() == name)
            return reader.readElementText(QXmlStreamReader::IncludeChildElements).trimmed();
    return {};
}

// The XMP packet stands uncompressed in the file, so that every program can find it.
QByteArray packet_in(const QByteArray& pdf) {
    const qsizetype from = pdf.indexOf("<x:xmpmeta"), to = pdf.indexOf("</x:xmpmeta>", from);
    return from < 0 || to < 0 ? QByteArray() : pdf.mid(from, to - from + 12);
}

} // namespace

Result<Json> read_provenance(const std::filesystem::path& file) {
    const QString name = QString::fromStdString(file.string());
    const QString suffix = QString::fromStdString(file.extension().string()).toLower();
    QString text;
    if (suffix == QLatin1String(".png")) {
        QImageReader reader(name, "png");
        if (!reader.canRead())
            return fail(Code::io, fmt::format("{}: this is no PNG that can be read.", file.string()));
        text = reader.text(QStringLiteral("Description"));
    } else if (suffix == QLatin1String(".svg") || suffix == QLatin1String(".pdf")) {
        QFile in(name);
        if (!in.open(QIODevice::ReadOnly) || in.size() > largest)
            return fail(Code::io, fmt::format("{}: cannot be read ({}).", file.string(),
                                              in.errorString().toStdString()));
        const QByteArray bytes = in.readAll();
        text = suffix == QLatin1String(".svg")
                   ? element_text(bytes, QLatin1StringView("desc"))
                   : element_text(packet_in(bytes), QLatin1StringView("description"));
    } else {
        return fail(Code::usage,
                    fmt::format("{}: figures are .svg, .pdf or .png; drop one of these.", file.string()));
    }
    const auto json = parse_json(text.toStdString(), file.string());
    if (!json || !json->is_object() || !json->contains("weights_hash"))
        return fail(Code::unsupported,
                    fmt::format("{}: this picture does not say which run it shows; only figures that Vitrine "
                                "exported can be opened.",
                                file.filename().string()));
    return *json;
}

} // namespace vitrine::figure
