#include "views/figure/picture.h"

#include <QFontMetricsF>
#include <algorithm>
#include <cmath>
#include <fmt/format.h>

namespace vitrine::figure {

namespace {

constexpr double bar_width = 10;
constexpr double bar_gap = 3;

// Every so-maniest tick, so that neighbours lie `gap` pixels apart on a bar of `length` pixels.
std::vector<double> apart(const ColourScale& scale, double length, double gap) {
    const std::vector<double> all = scale.ticks();
    for (std::size_t step = 1; step < all.size(); ++step) {
        std::vector<double> out;
        double nearest = length;
        for (std::size_t at = 0; at < all.size(); at += step) {
            if (!out.empty())
                nearest = std::min(nearest,
                                   length * std::abs(scale.position(all[at]) - scale.position(out.back())));
            out.push_back(all[at]);
        }
        if (nearest >= gap) return out;
    }
    return all.empty() ? all : std::vector<double>{all.front(), all.back()};
}

} // namespace

QString csv_field(const QString& text) {
    if (!text.contains(QLatin1Char(',')) && !text.contains(QLatin1Char('"')) &&
        !text.contains(QLatin1Char('\n')))
        return text;
    return QLatin1Char('"') + QString(text).replace(QStringLiteral("\""), QStringLiteral("\"\"")) +
           QLatin1Char('"');
}

QString csv_number(double value) {
    return std::isnan(value) ? QString() : QString::fromStdString(fmt::format("{}", value));
}

double draw_text(QPainter& painter, const QRectF& box, int flags, const QString& text, const QFont& font,
                 const QColor& colour) {
    painter.setFont(font);
    painter.setPen(colour);
    painter.drawText(box, flags | Qt::TextSingleLine, text);
    return QFontMetricsF(font).horizontalAdvance(text);
}

double colour_bar_width(const ColourScale& scale, bool marked, const Theme& theme) {
    const QFontMetricsF metrics(theme.fixed_font());
    double widest = 0;
    for (const double tick : scale.ticks())
        widest = std::max(widest, metrics.horizontalAdvance(number(tick)));
    const double unit = QFontMetricsF(theme.font()).horizontalAdvance(scale.unit);
    const double bars = bar_width + (marked ? bar_gap + bar_width : 0);
    return std::max(bars + 7 + widest, unit) + 2;
}

void paint_colour_bar(QPainter& painter, const QRectF& box, const ColourScale& scale, bool marked,
                      const Theme& theme) {
    const double line = 16;
    draw_text(painter, QRectF(box.left(), box.top(), box.width() + 20, line), Qt::AlignLeft | Qt::AlignTop,
              scale.unit, theme.font(), theme.muted);
    const double foot = marked ? line : 0;
    const QRectF bar(box.left(), box.top() + line + 6, bar_width,
                     std::min(box.height() - line - 12 - foot, 260.0));
    if (bar.height() < 20) return;

    const auto strip = [&](double left, Map map) {
        painter.save();
        painter.setRenderHint(QPainter::Antialiasing, false);
        const int steps = 64;
        for (int i = 0; i < steps; ++i) {
            const double top = bar.bottom() - bar.height() * (i + 1) / steps;
            painter.fillRect(QRectF(left, top, bar_width, bar.height() / steps + 0.7),
                             colour_at(map, (i + 0.5) / steps));
        }
        painter.restore();
    };
    strip(bar.left(), scale.map);
    double right = bar.right();
    if (marked) {
        strip(right + bar_gap, Map::sink);
        right += bar_gap + bar_width;
        draw_text(painter, QRectF(bar.left(), bar.bottom() + 6, box.width() + 20, line), Qt::AlignLeft,
                  QStringLiteral("right: sinks"), theme.font(), theme.sink);
    }
    for (const double value : apart(scale, bar.height(), 15)) {
        const double y = bar.bottom() - bar.height() * scale.position(value);
        painter.setPen(QPen(theme.muted, 1));
        painter.drawLine(QPointF(right, y), QPointF(right + 3, y));
        const bool lowest = scale.log && value == scale.ticks().front();
        draw_text(painter, QRectF(right + 6, y - 8, 80, 16), Qt::AlignLeft | Qt::AlignVCenter,
                  (lowest ? QStringLiteral("≤") : QString()) + tick(value), theme.fixed_font(), theme.muted);
    }
}

void paint_flat_colour_bar(QPainter& painter, const QRectF& box, const ColourScale& scale, bool marked,
                           const Theme& theme) {
    const QFontMetricsF words(theme.font());
    const QString sinks = QStringLiteral("sinks");
    const double left =
        std::max(words.horizontalAdvance(scale.unit), marked ? words.horizontalAdvance(sinks) : 0) + 10;
    const QRectF bar(box.left() + left, box.top() + 4, std::min(box.width() - left - 16, 300.0), bar_width);
    if (bar.width() < 40) return;
    const auto strip = [&](double top, Map map, const QString& name, const QColor& ink) {
        painter.save();
        painter.setRenderHint(QPainter::Antialiasing, false);
        const int steps = 64;
        for (int i = 0; i < steps; ++i)
            painter.fillRect(
                QRectF(bar.left() + bar.width() * i / steps, top, bar.width() / steps + 0.7, bar_width),
                colour_at(map, (i + 0.5) / steps));
        painter.restore();
        draw_text(painter, QRectF(box.left(), top - 4, left, 18), Qt::AlignLeft | Qt::AlignVCenter, name,
                  theme.font(), ink);
    };
    strip(bar.top(), scale.map, scale.unit, theme.muted);
    double bottom = bar.bottom();
    if (marked) {
        strip(bottom + 6, Map::sink, sinks, theme.sink);
        bottom += 6 + bar_width;
    }
    const QFontMetricsF digits(theme.fixed_font());
    double widest = 0;
    for (const double value : scale.ticks())
        widest = std::max(widest, digits.horizontalAdvance(tick(value)));
    for (const double value : apart(scale, bar.width(), widest + 8)) {
        const double x = bar.left() + bar.width() * scale.position(value);
        painter.setPen(QPen(theme.muted, 1));
        painter.drawLine(QPointF(x, bottom), QPointF(x, bottom + 3));
        const bool lowest = scale.log && value == scale.ticks().front();
        draw_text(painter, QRectF(x - 40, bottom + 3, 80, 16), Qt::AlignHCenter | Qt::AlignTop,
                  (lowest ? QStringLiteral("≤") : QString()) + tick(value), theme.fixed_font(), theme.muted);
    }
}

} // namespace vitrine::figure
