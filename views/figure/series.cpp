#include "views/figure/series.h"

#include <QFontMetricsF>
#include <algorithm>
#include <array>
#include <cmath>

namespace vitrine::figure {

QColor category_colour(int index, const Theme& theme) {
    static constexpr std::array<std::uint32_t, 6> light = {0x1c5ea6, 0xb5530a, 0x0b7a5c,
                                                           0x9b3a78, 0x6b6200, 0x4a4f57};
    static constexpr std::array<std::uint32_t, 6> dark = {0x6fb1fc, 0xf2a65a, 0x4fc79f,
                                                          0xe08fc0, 0xe0d24a, 0xb5bcc4};
    return QColor((theme.dark ? dark : light)[static_cast<std::size_t>(index) % 6]);
}

namespace {

/// How the names of lines share a row.
struct Legend {
    double stroke = 14, gap = 14; ///< the piece of line before a name, and what is free behind it
    double widest = 300;          ///< longer names are cut
};

Legend legend_in(double room, const std::vector<Series::Line>& lines, const QFont& font) {
    Legend out;
    const auto taken = [&] {
        double sum = 0;
        for (const Series::Line& line : lines)
            sum += out.stroke + 4 + out.gap + QFontMetricsF(font).horizontalAdvance(line.name);
        return sum - out.gap;
    };
    if (taken() > room) out.stroke = out.gap = 7;
    if (taken() > room)
        out.widest =
            std::max(8.0, (room + out.gap) / static_cast<double>(lines.size()) - out.stroke - 4 - out.gap);
    return out;
}

} // namespace

std::size_t Series::length() const {
    std::size_t out = 0;
    for (const Line& line : lines)
        out = std::max(out, line.values.size());
    return out;
}

QString Series::label(std::size_t index) const {
    return static_cast<int>(index) < x_labels.size() ? x_labels[static_cast<int>(index)]
                                                     : QString::number(index);
}

Series::Layout Series::layout(const QRectF& in, const Theme& theme) const {
    Layout out;
    double low = INFINITY, high = -INFINITY;
    for (const Line& line : lines)
        for (const double value : line.values)
            if (std::isfinite(value)) {
                low = std::min(low, value);
                high = std::max(high, value);
            }
    if (!(low <= high)) low = 0, high = 1;
    if (bars || (low > 0 && low < high * 0.5)) low = std::min(low, 0.0);
    if (bars) high = std::max(high, 0.0);
    if (low == high) high = low + 1;
    int wanted = in.height() < 130 ? 2 : 5; // what is low has no room for more
    while (wanted < 5 && round_ticks(low, high, wanted).size() < 2)
        ++wanted; // one number alone is no scale
    const auto ticks = round_ticks(low, high, wanted);
    const double step = ticks.size() > 1 ? ticks[1] - ticks[0] : high - low;
    out.low = std::floor(low / step + 1e-9) * step;
    out.high = std::ceil(high / step - 1e-9) * step;
    const QFontMetricsF metrics(theme.fixed_font());
    double widest = 0;
    out.ticks = wanted;
    for (const double value : round_ticks(out.low, out.high, wanted))
        widest = std::max(widest, metrics.horizontalAdvance(tick(value)));
    double labels = 18;
    for (const QString& text : x_labels)
        if (metrics.horizontalAdvance(text) >
            (in.width() - widest) / std::max<double>(1, x_labels.size()) - 6)
            labels = std::max(labels, std::min(metrics.horizontalAdvance(text), 90.0) + 4);
    const bool heads = !y_title.isEmpty() || (legend && lines.size() > 1);
    const double top = (title.isEmpty() ? 0 : 22) + (heads ? 22 : 6);
    if (!axis) labels = -18;
    out.plot = QRectF(in.left() + widest + 12, in.top() + top, std::max(20.0, in.width() - widest - 24),
                      std::max(20.0, in.height() - top - labels - 24));
    return out;
}

double Series::x_of(const Layout& laid, std::size_t index) const {
    const auto count = static_cast<double>(std::max<std::size_t>(length(), 1));
    return laid.plot.left() + laid.plot.width() * (static_cast<double>(index) + 0.5) / count;
}

int Series::index_at(const QPointF& at, const Layout& laid) const {
    if (!laid.plot.adjusted(0, -20, 0, 20).contains(at) || length() == 0) return -1;
    const double share = (at.x() - laid.plot.left()) / laid.plot.width();
    return std::clamp(static_cast<int>(share * static_cast<double>(length())), 0,
                      static_cast<int>(length()) - 1);
}

void Series::paint(QPainter& painter, const QRectF& in, const Theme& theme) const {
    draw_text(painter, QRectF(in.left(), in.top(), in.width(), 18), Qt::AlignLeft | Qt::AlignVCenter, title,
              theme.font(13, true), theme.text);
    if (!said_in_place.isEmpty() || length() == 0) {
        painter.setFont(theme.font(13));
        painter.setPen(theme.muted);
        painter.drawText(in, Qt::AlignCenter | Qt::TextWordWrap, said_in_place);
        return;
    }
    const Layout laid = layout(in, theme);
    const QFont fixed = theme.fixed_font();
    const auto y_of = [&](double value) {
        return laid.plot.bottom() - laid.plot.height() * (value - laid.low) / (laid.high - laid.low);
    };
    painter.save();
    painter.setRenderHint(QPainter::Antialiasing, true);
    for (const double value : round_ticks(laid.low, laid.high, laid.ticks)) {
        painter.setPen(QPen(theme.line, 1));
        painter.drawLine(QPointF(laid.plot.left(), y_of(value)), QPointF(laid.plot.right(), y_of(value)));
        draw_text(painter, QRectF(in.left(), y_of(value) - 9, laid.plot.left() - in.left() - 8, 18),
                  Qt::AlignRight | Qt::AlignVCenter, tick(value), fixed, theme.muted);
    }
    const QFontMetricsF metrics(fixed);
    const double slot = laid.plot.width() / static_cast<double>(length());
    double widest = 0;
    for (std::size_t i = 0; i < length(); ++i)
        widest = std::max(widest, metrics.horizontalAdvance(label(i)));
    const bool upright = !x_labels.isEmpty() && widest > slot - 6;
    const auto every = static_cast<std::size_t>(std::max(1.0, std::ceil((upright ? 14 : widest + 8) / slot)));
    for (std::size_t i = 0; i < length() && axis; i += every) {
        if (!upright) {
            draw_text(painter, QRectF(x_of(laid, i) - 60, laid.plot.bottom() + 3, 120, 18), Qt::AlignCenter,
                      label(i), fixed, theme.muted);
            continue;
        }
        painter.save();
        painter.translate(x_of(laid, i), laid.plot.bottom() + 4);
        painter.rotate(-90);
        draw_text(painter, QRectF(-100, -9, 100, 18), Qt::AlignRight | Qt::AlignVCenter,
                  elided(label(i), fixed, 90), fixed, theme.muted);
        painter.restore();
    }
    if (axis)
        draw_text(painter, QRectF(laid.plot.left(), in.bottom() - 18, laid.plot.width(), 18),
                  Qt::AlignRight | Qt::AlignVCenter, x_title, theme.font(), theme.muted);

    double at_x = laid.plot.left();
    draw_text(painter, QRectF(in.left(), laid.plot.top() - 22, in.width(), 18), Qt::AlignLeft, y_title,
              theme.font(), theme.muted);
    at_x += QFontMetricsF(theme.font()).horizontalAdvance(y_title) + 8;
    const Legend names = legend_in(in.right() - at_x, lines, theme.font());
    for (std::size_t at = 0; at < lines.size(); ++at) {
        const Line& line = lines[at];
        const QColor colour = category_colour(static_cast<int>(at), theme);
        if (bars) {
            for (std::size_t i = 0; i < line.values.size(); ++i)
                if (std::isfinite(line.values[i])) {
                    const QRectF bar(x_of(laid, i) - slot * 0.4, y_of(std::max(line.values[i], 0.0)),
                                     slot * 0.8, std::abs(y_of(line.values[i]) - y_of(0)));
                    painter.fillRect(bar, blend(theme.panel, colour, 0.8));
                }
        } else {
            painter.setPen(QPen(colour, 1.6));
            for (std::size_t i = 0; i < line.values.size(); ++i) {
                if (!std::isfinite(line.values[i])) continue;
                const QPointF here(x_of(laid, i), y_of(line.values[i]));
                if (i > 0 && std::isfinite(line.values[i - 1]))
                    painter.drawLine(QPointF(x_of(laid, i - 1), y_of(line.values[i - 1])), here);
                if (slot >= 9) {
                    painter.setBrush(colour);
                    painter.drawEllipse(here, 2, 2);
                }
            }
        }
        if (legend && lines.size() > 1) {
            painter.setPen(QPen(colour, 2));
            painter.drawLine(QPointF(at_x, laid.plot.top() - 13),
                             QPointF(at_x + names.stroke, laid.plot.top() - 13));
            draw_text(painter, QRectF(at_x + names.stroke + 4, laid.plot.top() - 22, names.widest + 2, 18),
                      Qt::AlignLeft | Qt::AlignVCenter, elided(line.name, theme.font(), names.widest),
                      theme.font(), theme.text);
            at_x += names.stroke + 4 +
                    std::min(names.widest, QFontMetricsF(theme.font()).horizontalAdvance(line.name)) +
                    names.gap;
        }
    }
    painter.restore();
}

void Series::paint_marks(QPainter& painter, const QRectF& in, const Theme& theme,
                         const std::optional<QPointF>& pointer) const {
    const Layout laid = layout(in, theme);
    const auto line = [&](int index, const QPen& pen) {
        if (index < 0 || static_cast<std::size_t>(index) >= length()) return;
        painter.setPen(pen);
        const double x = x_of(laid, static_cast<std::size_t>(index));
        painter.drawLine(QPointF(x, laid.plot.top()), QPointF(x, laid.plot.bottom()));
    };
    QColor ink = theme.query;
    ink.setAlphaF(0.6F);
    line(selected, QPen(ink, 1));
    if (pointer) line(index_at(*pointer, laid), QPen(theme.muted, 1, Qt::DotLine));
}

void Series::select(const Spot& here) {
    selected = x_title == QLatin1String("layer") ? here.layer
               : x_title == QLatin1String("position") || x_title == QLatin1String("pos") ||
                       x_title == QLatin1String("query")
                   ? here.query
                   : -1;
}

Spot Series::spot_at(const QPointF& at, const QRectF& in, const Theme& theme) const {
    Spot out;
    const int index = index_at(at, layout(in, theme));
    if (x_title == QLatin1String("layer")) out.layer = index;
    if (x_title == QLatin1String("position") || x_title == QLatin1String("pos") ||
        x_title == QLatin1String("query"))
        out.query = index;
    return out;
}

QString Series::describe(const QPointF& at, const QRectF& in, const Theme& theme) const {
    const int index = index_at(at, layout(in, theme));
    if (index < 0) return {};
    QString out =
        (x_title.isEmpty() ? QString() : x_title + QLatin1Char(' ')) + label(static_cast<std::size_t>(index));
    for (const Line& line : lines)
        if (static_cast<std::size_t>(index) < line.values.size())
            out += QStringLiteral(" · ") + (line.name.isEmpty() ? y_title : line.name) + QStringLiteral(" ") +
                   number(line.values[static_cast<std::size_t>(index)]);
    if (!meaning.isEmpty()) out += QStringLiteral("  –  ") + meaning;
    return out;
}

QString Series::csv() const {
    QString out = x_title.isEmpty() ? QStringLiteral("index") : csv_field(x_title);
    for (const Line& line : lines)
        out += QLatin1Char(',') + csv_field(line.name.isEmpty() ? title : line.name);
    out += QLatin1Char('\n');
    for (std::size_t i = 0; i < length(); ++i) {
        out += csv_field(label(i));
        for (const Line& line : lines)
            out += QLatin1Char(',') + (i < line.values.size() ? csv_number(line.values[i]) : QString());
        out += QLatin1Char('\n');
    }
    return out;
}

} // namespace vitrine::figure
