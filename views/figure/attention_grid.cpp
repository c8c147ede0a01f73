#include "views/figure/attention_grid.h"

#include <QFontMetricsF>
#include <algorithm>
#include <cmath>

namespace vitrine::figure {

namespace {

constexpr double head_line = 18;

} // namespace

bool AttentionGrid::has_sinks() const {
    return !sinks_out && std::any_of(sinks.begin(), sinks.end(), [](const std::vector<bool>& columns) {
        return std::find(columns.begin(), columns.end(), true) != columns.end();
    });
}

AttentionGrid::Layout AttentionGrid::layout(const QRectF& in, const Theme& theme) const {
    Layout out;
    const double left = QFontMetricsF(theme.fixed_font())
                            .horizontalAdvance(QStringLiteral("L%1").arg(std::max(0, layers - 1))) +
                        8;
    const double bar = colour_bar_width(scale, has_sinks(), theme);
    const double top = (title.isEmpty() ? 0 : head_line + 2) + head_line + 4;
    const double foot = (has_sinks() ? 62 : 44) + 8;
    const auto step_in = [&](double width, double height) {
        return std::max(4.0, std::floor(std::min(width / std::max(1, heads), height / std::max(1, layers))));
    };
    const double beside = step_in(in.width() - left - bar - 14, in.height() - top - 4);
    const double beneath = step_in(in.width() - left - 4, in.height() - top - foot);
    out.flat = beneath > beside;
    out.step = std::max(beside, beneath);
    out.side = out.step - (out.step >= 24 ? 4 : out.step >= 10 ? 2 : 1);
    out.cells =
        QRectF(std::round(in.left() + left), std::round(in.top() + top), out.step * heads, out.step * layers);
    out.bar = out.flat ? QRectF(out.cells.left(), out.cells.bottom() + 8, out.cells.width(), foot - 8)
                       : QRectF(out.cells.right() + 12, out.cells.top() - 2, bar,
                                std::max(out.cells.height(), 120.0));
    return out;
}

QSizeF AttentionGrid::preferred_size(const Theme&) const {
    return {std::clamp(heads * 72.0 + 130, 320.0, 1400.0), std::clamp(layers * 72.0 + 56, 240.0, 1400.0)};
}

void AttentionGrid::paint(QPainter& painter, const QRectF& in, const Theme& theme) const {
    const Layout laid = layout(in, theme);
    draw_text(painter, QRectF(in.left(), in.top(), in.width(), head_line), Qt::AlignLeft | Qt::AlignVCenter,
              title, theme.font(13, true), theme.text);
    if (!said_in_place.isEmpty() || patterns.empty()) {
        painter.setFont(theme.font(13));
        painter.setPen(theme.muted);
        painter.drawText(in.adjusted(24, head_line, -24, 0), Qt::AlignCenter | Qt::TextWordWrap,
                         said_in_place.isEmpty() ? QStringLiteral("No attention to show yet.")
                                                 : said_in_place);
        return;
    }
    const QFont fixed = theme.fixed_font();
    const int every_layer = std::max(1, static_cast<int>(std::ceil(14 / laid.step)));
    const int every_head = std::max(1, static_cast<int>(std::ceil(26 / laid.step)));
    for (int layer = 0; layer < layers; layer += every_layer)
        draw_text(painter,
                  QRectF(in.left(), laid.cells.top() + layer * laid.step, laid.cells.left() - in.left() - 8,
                         laid.side),
                  Qt::AlignRight | Qt::AlignVCenter, QStringLiteral("L%1").arg(layer), fixed,
                  layer == selected_layer ? theme.accent : theme.muted);
    for (int head = 0; head < heads; head += every_head)
        draw_text(painter,
                  QRectF(laid.cells.left() + head * laid.step - 20, laid.cells.top() - head_line - 2,
                         laid.side + 40, head_line),
                  Qt::AlignHCenter | Qt::AlignVCenter,
                  merged ? QStringLiteral("all") : QStringLiteral("H%1").arg(head), fixed,
                  head == selected_head ? theme.accent : theme.muted);

    painter.save();
    painter.setRenderHint(QPainter::SmoothPixmapTransform, false);
    const double ratio = painter.device() ? painter.device()->devicePixelRatioF() : 1;
    const int limit = std::max(1, static_cast<int>(std::ceil(laid.side * std::max(ratio, 1.0))));
    CellStyle style;
    style.scale = scale;
    style.causal = causal;
    style.ground = theme.panel;
    for (int layer = 0; layer < layers; ++layer)
        for (int head = 0; head < heads; ++head) {
            const std::size_t at = index(layer, head);
            const Matrix& pattern = patterns[at];
            if (pattern.empty()) continue;
            style.opacity = opacity.empty() ? 1 : opacity[at];
            style.marked = sinks_out || sinks.empty() ? std::vector<bool>() : sinks[at];
            painter.drawImage(
                thumbnail(laid, layer, head),
                cells_image(pattern, style, QRect(0, 0, pattern.cols, pattern.rows), {limit, limit}));
        }
    painter.restore();
    if (laid.flat)
        paint_flat_colour_bar(painter, laid.bar, scale, has_sinks(), theme);
    else
        paint_colour_bar(painter, laid.bar, scale, has_sinks(), theme);
}

void AttentionGrid::paint_marks(QPainter& painter, const QRectF& in, const Theme& theme,
                                const std::optional<QPointF>& pointer) const {
    if (patterns.empty() || !said_in_place.isEmpty()) return;
    const Layout laid = layout(in, theme);
    painter.save();
    painter.setBrush(Qt::NoBrush);
    const auto frame = [&](int layer, int head, const QColor& colour, double width) {
        painter.setPen(QPen(colour, width));
        painter.drawRect(thumbnail(laid, layer, head).adjusted(-1.5, -1.5, 1.5, 1.5));
    };
    if (pointer) {
        if (const auto head = head_at(*pointer, in, theme)) frame(head->y(), head->x(), theme.muted, 1);
    }
    const auto inside = [&](int layer, int head) {
        return layer >= 0 && head >= 0 && layer < layers && head < heads;
    };
    // A dot in the corner that a causal pattern leaves empty.
    painter.setPen(Qt::NoPen);
    painter.setBrush(theme.accent);
    const double dot = std::clamp(laid.side / 10, 1.5, 4.0);
    for (std::size_t at = 0; at < in_set.size(); ++at)
        if (in_set[at]) {
            const QRectF box = thumbnail(laid, static_cast<int>(at) / heads, static_cast<int>(at) % heads);
            painter.drawEllipse(QPointF(box.right() - 2 * dot, box.top() + 2 * dot), dot, dot);
        }
    painter.setBrush(Qt::NoBrush);
    if (inside(second_layer, second_head)) frame(second_layer, second_head, theme.key, 2);
    if (inside(selected_layer, selected_head)) frame(selected_layer, selected_head, theme.accent, 2);
    painter.restore();
}

std::optional<QPoint> AttentionGrid::head_at(const QPointF& at, const QRectF& in, const Theme& theme) const {
    const Layout laid = layout(in, theme);
    if (patterns.empty() || !said_in_place.isEmpty() || !laid.cells.contains(at)) return std::nullopt;
    const int head = std::min(heads - 1, static_cast<int>((at.x() - laid.cells.left()) / laid.step));
    const int layer = std::min(layers - 1, static_cast<int>((at.y() - laid.cells.top()) / laid.step));
    return QPoint(head, layer);
}

Spot AttentionGrid::spot_at(const QPointF& at, const QRectF& in, const Theme& theme) const {
    const auto head = head_at(at, in, theme);
    return head ? Spot{head->y(), merged ? -1 : head->x(), -1, -1} : Spot{};
}

QString AttentionGrid::describe(const QPointF& at, const QRectF& in, const Theme& theme) const {
    const auto head = head_at(at, in, theme);
    if (!head) return {};
    const QString name = merged ? QStringLiteral("up to layer %1, all heads").arg(head->y())
                                : QStringLiteral("L%1 H%2").arg(head->y()).arg(head->x());
    const std::size_t where = index(head->y(), head->x());
    return where < notes.size() && !notes[where].isEmpty() ? name + QStringLiteral(" · ") + notes[where]
                                                           : name;
}

QString AttentionGrid::csv() const {
    QString out = QStringLiteral("layer,head,query,key,attention\n");
    for (int layer = 0; layer < layers; ++layer)
        for (int head = 0; head < heads; ++head) {
            const Matrix& pattern = patterns[index(layer, head)];
            for (int query = 0; query < pattern.rows; ++query)
                for (int key = 0; key < (causal ? query + 1 : pattern.cols); ++key)
                    out += QStringLiteral("%1,%2,%3,%4,").arg(layer).arg(head).arg(query).arg(key) +
                           csv_number(pattern.at(query, key)) + QLatin1Char('\n');
        }
    return out;
}

} // namespace vitrine::figure
