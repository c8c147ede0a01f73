#include "views/figure/token_grid.h"

#include <QFontMetricsF>
#include <algorithm>
#include <cmath>

namespace vitrine::figure {

namespace {

constexpr double grid_line = 18;
constexpr double left = 40;     ///< of the layers' names
constexpr double readable = 46; ///< pixels of a column in which a short token can be read
constexpr double tall = 38;     ///< pixels of a cell that has room for the probability too
constexpr double tallest = 110; ///< pixels of a cell: a few layers fill a large screen, and stay cells

} // namespace

QSizeF TokenGrid::preferred_size(const Theme&) const {
    return {std::clamp(static_cast<double>(columns.size()) * 86 + left + 70, 300.0, 1400.0),
            std::clamp(layers * 26.0 + 3 * grid_line, 140.0, 1200.0)};
}

double TokenGrid::narrowest_width(const Theme&) const {
    return std::clamp(static_cast<double>(columns.size()) * 52 + left + 70, 260.0, 900.0);
}

TokenGrid::Layout TokenGrid::layout(const QRectF& in, const Theme& theme) const {
    Layout out;
    const double bar = colour_bar_width(scale, false, theme);
    out.cells =
        QRectF(in.left() + left, in.top() + 2 * grid_line + 4, std::max(20.0, in.width() - left - bar - 14),
               std::max(20.0, in.height() - 2 * grid_line - 8));
    const int all = std::max(1, static_cast<int>(columns.size()));
    out.shown = windowed ? std::clamp(static_cast<int>(out.cells.width() / readable), 1, all) : all;
    out.first = std::clamp(first_ < 0 ? all : first_, 0, all - out.shown);
    // What is selected is seen, unless someone has dragged it away.
    if (follow_)
        for (int col = 0; col < all && by_position(); ++col)
            if (positions[static_cast<std::size_t>(col)] == selected_position)
                out.first =
                    std::clamp(out.first, std::max(0, col - out.shown + 1), std::min(col, all - out.shown));
    if (windowed) first_ = out.first;
    const auto count = static_cast<double>(out.shown);
    out.width = std::min(out.cells.width() / count, 150.0);
    out.height = std::min(out.cells.height() / std::max(1, layers), tallest);
    out.cells.setSize({out.width * count, out.height * layers});
    out.bar = QRectF(out.cells.right() + 14, out.cells.top() - 2, bar, std::max(out.cells.height(), 110.0));
    return out;
}

void TokenGrid::paint(QPainter& painter, const QRectF& in, const Theme& theme) const {
    draw_text(painter, QRectF(in.left(), in.top(), in.width(), grid_line), Qt::AlignLeft | Qt::AlignVCenter,
              title, theme.font(13, true), theme.text);
    const Layout laid = layout(in, theme);
    if (laid.shown < columns.size())
        draw_text(painter, QRectF(in.left(), in.top(), in.width(), grid_line),
                  Qt::AlignRight | Qt::AlignVCenter,
                  QStringLiteral("positions %1 to %2 of %3: drag for the others")
                      .arg(columns[laid.first], columns[laid.first + laid.shown - 1])
                      .arg(columns.size()),
                  theme.font(), theme.muted);
    const QFont fixed = theme.fixed_font();
    const double head = laid.cells.top() - grid_line - 2;
    const QFontMetricsF metrics(fixed);
    double widest = 0;
    for (const QString& label : columns)
        widest = std::max(widest, metrics.horizontalAdvance(label));
    const int every = std::max(1, static_cast<int>(std::ceil((widest + 6) / laid.width)));
    const QString names = by_position() ? QString() : col_title + QStringLiteral(" ");
    for (int col = laid.first; col < laid.first + laid.shown; col += every)
        draw_text(painter,
                  QRectF(laid.cells.left() + (col - laid.first) * laid.width - 30, head, laid.width + 60,
                         grid_line),
                  Qt::AlignHCenter | Qt::AlignVCenter, (col == 0 ? names : QString()) + columns[col], fixed,
                  by_position() && positions[static_cast<std::size_t>(col)] == selected_position
                      ? theme.query
                      : theme.muted);
    const int each = std::max(1, static_cast<int>(std::ceil(14 / laid.height)));
    for (int layer = 0; layer < layers; ++layer) {
        const double top = laid.cells.top() + layer * laid.height;
        if (layer % each == 0)
            draw_text(painter, QRectF(in.left(), top, left - 8, laid.height),
                      Qt::AlignRight | Qt::AlignVCenter, QStringLiteral("L%1").arg(layer), fixed,
                      layer == selected_layer ? theme.accent : theme.muted);
        for (int col = laid.first; col < laid.first + laid.shown; ++col) {
            const Cell& shown = cell(layer, col);
            if (shown.token.isEmpty()) continue;
            const QRectF box(laid.cells.left() + (col - laid.first) * laid.width, top, laid.width,
                             laid.height);
            const QColor ground = scale.colour(shown.prob);
            painter.fillRect(box.adjusted(0.5, 0.5, -0.5, -0.5), ground);
            if (std::find(pinned.begin(), pinned.end(), shown.id) != pinned.end()) {
                painter.setPen(QPen(text_on(ground), 1.4));
                painter.drawRect(box.adjusted(2.5, 2.5, -2.5, -2.5));
            }
            if (laid.height < 13 || laid.width < 18) continue;
            const QString share = percent(shown.prob);
            const bool both = laid.height >= tall && metrics.horizontalAdvance(share) <= laid.width - 4;
            const double half = both ? grid_line / 2 : 0;
            draw_text(painter, box.translated(0, -half), Qt::AlignCenter,
                      elided(shown.token, fixed, laid.width - 4), fixed, text_on(ground));
            if (both)
                draw_text(painter, box.translated(0, half), Qt::AlignCenter, share, fixed, text_on(ground));
        }
    }
    paint_colour_bar(painter, laid.bar, scale, false, theme);
}

void TokenGrid::paint_marks(QPainter& painter, const QRectF& in, const Theme& theme,
                            const std::optional<QPointF>& pointer) const {
    const Layout laid = layout(in, theme);
    painter.save();
    painter.setBrush(Qt::NoBrush);
    if (selected_layer >= 0 && selected_layer < layers) {
        painter.setPen(QPen(theme.accent, 1.2));
        painter.drawRect(QRectF(laid.cells.left(), laid.cells.top() + selected_layer * laid.height,
                                laid.cells.width(), laid.height));
    }
    if (by_position())
        for (std::size_t col = 0; col < positions.size(); ++col)
            if (const int at = static_cast<int>(col) - laid.first;
                positions[col] == selected_position && at >= 0 && at < laid.shown) {
                painter.setPen(QPen(theme.query, 1.2));
                painter.drawRect(QRectF(laid.cells.left() + at * laid.width, laid.cells.top(), laid.width,
                                        laid.cells.height()));
            }
    if (const auto here = pointer ? cell_at(*pointer, in, theme) : std::nullopt) {
        painter.setPen(QPen(theme.text, 1));
        painter.drawRect(QRectF(laid.cells.left() + (here->x() - laid.first) * laid.width,
                                laid.cells.top() + here->y() * laid.height, laid.width, laid.height));
    }
    painter.restore();
}

std::optional<QPoint> TokenGrid::cell_at(const QPointF& at, const QRectF& in, const Theme& theme) const {
    const Layout laid = layout(in, theme);
    if (!laid.cells.contains(at) || columns.isEmpty() || layers == 0) return std::nullopt;
    return QPoint(laid.first +
                      std::min(static_cast<int>((at.x() - laid.cells.left()) / laid.width), laid.shown - 1),
                  std::min(static_cast<int>((at.y() - laid.cells.top()) / laid.height), layers - 1));
}

bool TokenGrid::pan(const QPointF& by, const QRectF& in, const Theme& theme) {
    const Layout laid = layout(in, theme);
    if (laid.shown == columns.size()) return false;
    dragged_ -= by.x();
    const int columns_by = static_cast<int>(dragged_ / laid.width);
    dragged_ -= columns_by * laid.width;
    first_ = std::clamp(laid.first + columns_by, 0, static_cast<int>(columns.size()) - laid.shown);
    follow_ = false;
    return true;
}

int TokenGrid::token_at(const QPointF& at, const QRectF& in, const Theme& theme) const {
    const auto here = cell_at(at, in, theme);
    return here && !cell(here->y(), here->x()).token.isEmpty() ? cell(here->y(), here->x()).id : -1;
}

QString TokenGrid::describe(const QPointF& at, const QRectF& in, const Theme& theme) const {
    const auto here = cell_at(at, in, theme);
    if (!here || cell(here->y(), here->x()).token.isEmpty()) return {};
    const Cell& shown = cell(here->y(), here->x());
    const QString rank = by_position() ? QString() : QStringLiteral(" · rank ") + columns[here->x()];
    return QStringLiteral("layer %1 · position %2%3 = %4 (id %5): probability %6, logit %7")
        .arg(here->y())
        .arg(positions[static_cast<std::size_t>(here->x())])
        .arg(rank, shown.token)
        .arg(shown.id)
        .arg(number(shown.prob), number(shown.logit));
}

Spot TokenGrid::spot_at(const QPointF& at, const QRectF& in, const Theme& theme) const {
    const auto here = cell_at(at, in, theme);
    if (!here) return {};
    return {here->y(), -1, positions[static_cast<std::size_t>(here->x())], -1};
}

void TokenGrid::select(const Spot& here) {
    follow_ = follow_ || selected_position != here.query;
    selected_layer = here.layer;
    selected_position = here.query;
}

QString TokenGrid::csv() const {
    QString out = QStringLiteral("layer,position,rank,id,token,logit,probability\n");
    for (int layer = 0; layer < layers; ++layer)
        for (int col = 0; col < columns.size(); ++col) {
            const Cell& shown = cell(layer, col);
            if (shown.token.isEmpty()) continue;
            out += QStringLiteral("%1,%2,%3,%4,")
                       .arg(layer)
                       .arg(positions[static_cast<std::size_t>(col)])
                       .arg(by_position() ? QStringLiteral("0") : columns[col])
                       .arg(shown.id) +
                   csv_field(shown.token) + QLatin1Char(',') + csv_number(shown.logit) + QLatin1Char(',') +
                   csv_number(shown.prob) + QLatin1Char('\n');
        }
    return out;
}

} // namespace vitrine::figure
