#include "views/figure/what_if.h"

#include <QFontMetricsF>
#include <algorithm>
#include <cmath>

namespace vitrine::figure {

namespace {

constexpr double full_line = 18, full_row = 2 * full_line + 7, full_head = 3 * full_line + 6;
constexpr double dense_head = 17;      ///< its lines
constexpr double least_row = 2 * 13.5; ///< below it a row has one line

struct Columns {
    double box, name, bar, bar_width, loss, kl; ///< left edges; numbers end at theirs
};

Columns columns_of(const QRectF& in, int size, const Theme& theme) {
    const double number = QFontMetricsF(theme.fixed_font(size)).horizontalAdvance(QStringLiteral("+0.0000"));
    Columns out{};
    out.box = in.left();
    out.name = in.left() + 22;
    out.kl = in.right();
    out.loss = out.kl - number - 10;
    const double numbers = out.loss - number - 8;
    out.bar_width = std::clamp((numbers - out.name) * 0.3, 30.0, 120.0);
    out.bar = numbers - out.bar_width;
    return out;
}

QString signed_number(double value) { return (value > 0 ? QStringLiteral("+") : QString()) + number(value); }

} // namespace

double WhatIf::scale() const {
    double out = 1e-9;
    for (const Row& row : rows)
        for (const double value : {row.delta_loss, row.control})
            if (std::isfinite(value)) out = std::max(out, std::abs(value));
    return out;
}

QSizeF WhatIf::preferred_size(const Theme&) const {
    return {420, full_head + full_row * static_cast<double>(std::max<std::size_t>(rows.size(), 2)) + 4};
}

WhatIf::Lines WhatIf::lines_in(const QRectF& in) const {
    const auto count = static_cast<double>(std::max<std::size_t>(rows.size(), 1));
    if (in.height() >= full_head + full_row * count) return {full_head, full_row, full_line, 12, true, true};
    const double head = 2 * dense_head;
    const double row = std::clamp((in.height() - head) / count, 14.0, full_row);
    const bool texts = row >= least_row;
    const double line = std::min(full_line, texts ? (row - 1) / 2 : row - 1);
    return {head, row, line, line < 16 ? 11 : 12, texts, false};
}

void WhatIf::paint(QPainter& painter, const QRectF& in, const Theme& theme) const {
    draw_text(painter, QRectF(in.left(), in.top(), in.width(), full_line), Qt::AlignLeft | Qt::AlignVCenter,
              elided(title, theme.font(13, true), in.width()), theme.font(13, true), theme.text);
    if (!said_in_place.isEmpty() || rows.empty()) {
        painter.setFont(theme.font(13));
        painter.setPen(theme.muted);
        painter.drawText(in.adjusted(0, 24, 0, 0), Qt::AlignLeft | Qt::AlignTop | Qt::TextWordWrap,
                         said_in_place);
        return;
    }
    const auto [head, row_height, line, size, texts, names] = lines_in(in);
    const Columns laid = columns_of(in, size, theme);
    const QFont fixed = theme.fixed_font(size), words = theme.font(size);
    // The columns' names stand in a line of their own, or above the numbers at the end of the clean text's.
    const double second = in.top() + (names ? full_line + 2 : dense_head),
                 third = names ? second + full_line + 1 : second;
    const double clean_end = names ? in.right() : laid.bar + laid.bar_width;
    const QString clean =
        (names ? QStringLiteral("as it is, loss %1: ") : QStringLiteral("loss %1: ")).arg(number(clean_loss));
    const double said = draw_text(painter, QRectF(in.left(), second, clean_end - in.left(), line),
                                  Qt::AlignLeft | Qt::AlignVCenter, clean, words, theme.muted);
    const double clean_room = clean_end - in.left() - said - 3;
    draw_text(painter, QRectF(in.left() + said + 3, second, clean_room, line),
              Qt::AlignLeft | Qt::AlignVCenter, elided(clean_text, fixed, clean_room), fixed, theme.text);
    draw_text(painter, QRectF(in.left(), third, laid.loss - in.left(), line),
              Qt::AlignRight | Qt::AlignVCenter, QStringLiteral("Δ loss"), words, theme.muted);
    draw_text(painter, QRectF(in.left(), third, laid.kl - in.left(), line), Qt::AlignRight | Qt::AlignVCenter,
              names ? QStringLiteral("KL, nats") : QStringLiteral("KL"), words, theme.muted);
    painter.save();
    painter.setRenderHint(QPainter::Antialiasing, true);
    for (std::size_t i = 0; i < rows.size(); ++i) {
        const Row& row = rows[i];
        const double top = in.top() + head + row_height * static_cast<double>(i);
        if (top + row_height > in.bottom() + 4) break;
        painter.setPen(QPen(theme.line, 1));
        const double rule = names ? top - 2 : top - 0.5;
        painter.drawLine(QPointF(in.left(), rule), QPointF(in.right(), rule));
        const double side = std::min(12.0, line - 2);
        const QRectF box(laid.box + 1.5, top + (line - side) / 2 + 0.5, side, side);
        painter.setPen(QPen(theme.text, 1));
        painter.setBrush(row.on ? QBrush(theme.accent) : QBrush(Qt::NoBrush));
        painter.drawRoundedRect(box, 2, 2);
        if (row.on) {
            painter.setPen(QPen(text_on(theme.accent), 1.8));
            painter.drawPolyline(QPolygonF{QPointF(box.left() + 2.5, box.center().y()),
                                           QPointF(box.left() + 5, box.bottom() - 3),
                                           QPointF(box.right() - 2.5, box.top() + 3)});
        }
        draw_text(painter, QRectF(laid.name, top, laid.bar - laid.name - 6, line),
                  Qt::AlignLeft | Qt::AlignVCenter, elided(row.words, words, laid.bar - laid.name - 6), words,
                  theme.text);
        // Zero in the middle; the band is what a random other token does.
        const double middle = laid.bar + laid.bar_width / 2, unit = laid.bar_width / 2 / scale();
        if (std::isfinite(row.control)) {
            const double spread = std::isfinite(row.control_deviation) ? row.control_deviation : 0;
            const double left = std::max(laid.bar, middle + (row.control - spread) * unit - 1.5);
            const double right =
                std::min(laid.bar + laid.bar_width, middle + (row.control + spread) * unit + 1.5);
            painter.fillRect(QRectF(left, top + 2, std::max(3.0, right - left), line - 4),
                             blend(theme.panel, theme.muted, 0.35));
        }
        if (std::isfinite(row.delta_loss)) {
            const double end = middle + row.delta_loss * unit;
            painter.fillRect(
                QRectF(std::min(middle, end), top + 5, std::max(1.0, std::abs(end - middle)), line - 10),
                row.delta_loss > 0 ? theme.sink : theme.accent);
        }
        painter.setPen(QPen(theme.muted, 1));
        painter.drawLine(QPointF(middle, top + 1), QPointF(middle, top + line - 1));
        draw_text(painter, QRectF(in.left(), top, laid.loss - in.left(), line),
                  Qt::AlignRight | Qt::AlignVCenter, signed_number(row.delta_loss), fixed, theme.text);
        draw_text(painter, QRectF(in.left(), top, laid.kl - in.left(), line),
                  Qt::AlignRight | Qt::AlignVCenter, number(row.kl), fixed, theme.text);
        if (!texts) continue;
        draw_text(painter, QRectF(laid.name, top + line, in.right() - laid.name, line),
                  Qt::AlignLeft | Qt::AlignVCenter, elided(row.text, fixed, in.right() - laid.name), fixed,
                  row.text == clean_text ? theme.muted : theme.text);
    }
    painter.restore();
}

int WhatIf::row_at(const QPointF& at, const QRectF& in) const {
    const auto [head, row_height, line, size, texts, names] = lines_in(in);
    const double down = at.y() - in.top() - head;
    if (!said_in_place.isEmpty() || down < 0 || at.x() < in.left() || at.x() > in.right()) return -1;
    const auto row = static_cast<std::size_t>(down / row_height);
    return row < rows.size() ? static_cast<int>(row) : -1;
}

void WhatIf::paint_marks(QPainter& painter, const QRectF& in, const Theme& theme,
                         const std::optional<QPointF>& pointer) const {
    const int row = pointer ? row_at(*pointer, in) : -1;
    if (row < 0) return;
    QColor veil = theme.accent;
    veil.setAlphaF(0.12F);
    const Lines laid = lines_in(in);
    painter.fillRect(QRectF(in.left() - 4, in.top() + laid.head + laid.row * row - (laid.names ? 1 : 0),
                            in.width() + 8, laid.row - (laid.names ? 2 : 1)),
                     veil);
}

QString WhatIf::describe(const QPointF& at, const QRectF& in, const Theme&) const {
    const int index = row_at(at, in);
    if (index < 0) return {};
    const Row& row = rows[static_cast<std::size_t>(index)];
    QString out = QStringLiteral("%1 · Δ loss %2 nats").arg(row.words, signed_number(row.delta_loss));
    if (std::isfinite(row.control)) {
        out += QStringLiteral(" (at a random other token %1").arg(signed_number(row.control));
        if (std::isfinite(row.control_deviation))
            out += QStringLiteral(" ± %1").arg(number(row.control_deviation));
        out += QLatin1Char(')');
    }
    out += QStringLiteral(" · KL of the next token %1 nats").arg(number(row.kl));
    return out + QStringLiteral("  –  ") +
           (row.on ? QStringLiteral("a click takes it back") : QStringLiteral("a click makes this change"));
}

QString WhatIf::hint(const QPointF& at, const QRectF& in, const Theme&) const {
    const int index = row_at(at, in);
    if (index < 0) return {};
    const Row& row = rows[static_cast<std::size_t>(index)];
    QString out = row.words;
    if (!row.text.isEmpty()) out += QStringLiteral("\ngoes on: %1\nwithout: %2").arg(row.text, clean_text);
    return out + QLatin1Char('\n') + row.edits.join(QLatin1Char('\n'));
}

QString WhatIf::csv() const {
    QString out = QStringLiteral("change,delta_loss,control,control_deviation,kl,text,edits\n");
    for (const Row& row : rows)
        out += csv_field(row.name) + QLatin1Char(',') + csv_number(row.delta_loss) + QLatin1Char(',') +
               csv_number(row.control) + QLatin1Char(',') + csv_number(row.control_deviation) +
               QLatin1Char(',') + csv_number(row.kl) + QLatin1Char(',') + csv_field(row.text) +
               QLatin1Char(',') + csv_field(row.edits.join(QStringLiteral("; "))) + QLatin1Char('\n');
    return out;
}

} // namespace vitrine::figure
