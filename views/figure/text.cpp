#include "views/figure/text.h"

#include <QFontMetricsF>
#include <QGlyphRun>
#include <QHash>
#include <QTextBoundaryFinder>
#include <QTextLayout>
#include <algorithm>
#include <cmath>
#include <fmt/format.h>

namespace vitrine::figure {

namespace {

QString with_minus(const std::string& ascii) {
    return QString::fromStdString(ascii).replace(QLatin1Char('-'), QChar(0x2212));
}

std::string grouped(std::string digits) {
    const std::size_t first = digits.find_first_of("0123456789");
    std::size_t end = digits.find('.');
    if (end == std::string::npos) end = digits.size();
    for (std::size_t at = end; at > first + 3; at -= 3)
        digits.insert(at - 3, ",");
    return digits;
}

// One code point of UTF-8 at `at`, and how many bytes it has; 0 if the bytes there are broken.
int code_point(std::string_view text, std::size_t at, char32_t& out) {
    const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
    const unsigned char lead = byte(at);
    const int size = lead < 0x80   ? 1
                     : lead < 0xC2 ? 0
                     : lead < 0xE0 ? 2
                     : lead < 0xF0 ? 3
                     : lead < 0xF5 ? 4
                                   : 0;
    if (size == 0 || at + static_cast<std::size_t>(size) > text.size()) return 0;
    out = size == 1 ? lead : lead & (0x7FU >> size);
    for (int i = 1; i < size; ++i) {
        if ((byte(at + static_cast<std::size_t>(i)) & 0xC0U) != 0x80U) return 0;
        out = (out << 6U) | (byte(at + static_cast<std::size_t>(i)) & 0x3FU);
    }
    const bool overlong = (size == 3 && out < 0x800) || (size == 4 && out < 0x10000);
    return overlong || (out >= 0xD800 && out < 0xE000) || out > 0x10FFFF ? 0 : size;
}

QString name_of(char32_t point) {
    return QString::fromStdString(fmt::format("⟨U+{:04X}⟩", static_cast<unsigned>(point)));
}

} // namespace

QString number(double value) {
    if (std::isnan(value)) return QStringLiteral("–");
    if (std::isinf(value)) return value > 0 ? QStringLiteral("∞") : QStringLiteral("−∞");
    const double size = std::abs(value);
    if (value == std::floor(value) && size < 1000) return with_minus(fmt::format("{:.0f}", value + 0.0));
    if (size < 1e-3 || size >= 1e7) {
        const std::string text = fmt::format("{:.2e}", value); // 2.10e-06
        const std::size_t power = text.find('e') + 1;
        return with_minus(text.substr(0, power) + (text[power] == '-' ? "-" : "") +
                          std::to_string(std::abs(std::stoi(text.substr(power)))));
    }
    // Rounded to three digits first, so that 0.9996 is "1.00" and 999.6 is "1,000".
    const double power = std::floor(std::log10(size));
    const double unit = std::pow(10.0, power - 2);
    const double rounded = std::round(value / unit) * unit;
    const int decimals = std::max(0, 2 - static_cast<int>(std::floor(std::log10(std::abs(rounded)) + 1e-12)));
    return with_minus(grouped(fmt::format("{:.{}f}", rounded, decimals)));
}

QString decimal(double value, int decimals) {
    return std::isfinite(value) ? with_minus(grouped(fmt::format("{:.{}f}", value, decimals)))
                                : number(value);
}

QString tick(double value) {
    const double size = std::abs(value);
    if (size < 1e-12) return QStringLiteral("0");
    if (size >= 1e-3 && size < 1e6) {
        std::string text = fmt::format("{:.4f}", value);
        text.erase(text.find_last_not_of('0') + 1);
        if (text.back() == '.') text.pop_back();
        return with_minus(grouped(text));
    }
    const std::string text = fmt::format("{:.1e}", value); // 1.0e-04
    const std::size_t power = text.find('e');
    std::string head = text.substr(0, power);
    if (head.ends_with(".0")) head.resize(head.size() - 2);
    return with_minus(fmt::format("{}e{}", head, std::stoi(text.substr(power + 1))));
}

QString percent(double share) { return number(100 * share) + QStringLiteral(" %"); }

QString count(std::int64_t value) { return with_minus(grouped(fmt::format("{}", value))); }

QString shown_token(std::string_view bytes) {
    std::size_t body_end = bytes.size();
    while (body_end > 0 && bytes[body_end - 1] == ' ')
        --body_end;
    QString out;
    bool text_seen = false;
    for (std::size_t at = 0; at < bytes.size();) {
        char32_t point = 0;
        const int size = code_point(bytes, at, point);
        if (size == 0) {
            out += QString::fromStdString(fmt::format("⟨{:02X}⟩", static_cast<unsigned char>(bytes[at])));
            ++at;
            continue;
        }
        const QChar::Category category = QChar::category(point);
        if (point == ' ' && (!text_seen || at >= body_end))
            out += QChar(0xB7);
        else if (point == '\n')
            out += QChar(0x23CE);
        else if (point == '\t')
            out += QChar(0x21E5);
        else if (point < 0x20 || point == 0x7F)
            out += QString::fromStdString(fmt::format("⟨{:02X}⟩", static_cast<unsigned>(point)));
        else if (point != ' ' &&
                 (category == QChar::Other_Control || category == QChar::Other_Format ||
                  category == QChar::Separator_Space || category == QChar::Separator_Line ||
                  category == QChar::Separator_Paragraph || category == QChar::Other_NotAssigned ||
                  category == QChar::Other_PrivateUse || point == 0xFFFD))
            out += name_of(point);
        else {
            const QString letter = QString::fromUcs4(&point, 1);
            out += point < 0x180 || drawable(letter) ? letter : name_of(point);
        }
        if (point != ' ') text_seen = true;
        at += static_cast<std::size_t>(size);
    }
    return out;
}

QString hex_bytes(std::string_view bytes) {
    QString out;
    for (const char byte : bytes) {
        if (!out.isEmpty()) out += QLatin1Char(' ');
        out += QString::fromStdString(fmt::format("{:02X}", static_cast<unsigned char>(byte)));
    }
    return out;
}

QString elided(const QString& text, const QFont& font, double width) {
    const QFontMetricsF metrics(font);
    // Of a long text only what may be seen is measured; what is cut here lies in the part that goes anyway.
    const auto most = static_cast<qsizetype>(std::max(500.0, 2 * width));
    if (text.size() > 4 * most)
        return elided(text.left(most) + QChar(0x2026) + text.right(most), font, width);
    if (metrics.horizontalAdvance(text) <= width) return text;
    // Cut between whole letters: an accent or half of an emoji alone would be another letter, or none.
    QTextBoundaryFinder letters(QTextBoundaryFinder::Grapheme, text);
    std::vector<qsizetype> cuts;
    for (qsizetype at = 0; at >= 0; at = letters.toNextBoundary())
        cuts.push_back(at);
    const auto kept = [&](std::size_t count) {
        const std::size_t head = (count + 1) / 2, tail = count / 2;
        return text.left(cuts[head]) + QChar(0x2026) + text.mid(cuts[cuts.size() - 1 - tail]);
    };
    std::size_t low = 0, high = cuts.size() - 1; // letters kept: `low` fit, `high` do not
    while (low + 1 < high) {
        const std::size_t middle = (low + high) / 2;
        (metrics.horizontalAdvance(kept(middle)) <= width ? low : high) = middle;
    }
    return kept(low);
}

bool drawable(const QString& text) {
    static QHash<QString, bool> known;
    const auto found = known.constFind(text);
    if (found != known.constEnd()) return *found;
    QTextLayout layout(text, QFont());
    layout.beginLayout();
    layout.createLine();
    layout.endLayout();
    bool all = true;
    for (const QGlyphRun& run : layout.glyphRuns())
        for (const quint32 glyph : run.glyphIndexes())
            all = all && glyph != 0;
    known.insert(text, all);
    return all;
}

} // namespace vitrine::figure
