#include "views/figure/heatmap.h"

#include <QFontMetricsF>
#include <QPaintEngine>
#include <algorithm>
#include <cmath>

namespace vitrine::figure {

namespace {

constexpr double line_height = 18;
constexpr double longest_label = 110; ///< pixels; longer ones are elided
constexpr int vector_cells = 20000;   ///< up to here a vector file gets one rectangle a cell

} // namespace

double Heatmap::widest_of(const QStringList& labels, const QFont& font, Measured& known) const {
    constexpr int many = 2000; // of so many some are long, and measuring each takes longer than a frame
    if (labels.size() > many) return longest_label;
    if (known.labels == labels.constData() && known.count == labels.size() && known.font == font)
        return known.widest;
    const QFontMetricsF metrics(font);
    known = {labels.constData(), labels.size(), font, 0};
    for (const QString& label : labels)
        known.widest = std::max(known.widest, metrics.horizontalAdvance(label));
    known.widest = std::min(known.widest, longest_label);
    return known.widest;
}

bool Heatmap::has_marks() const {
    return std::find(style.marked.begin(), style.marked.end(), true) != style.marked.end() && !sinks_out;
}

QString Heatmap::row_label(int row) const {
    return row < row_labels.size() ? row_labels[row] : QString::number(row);
}
QString Heatmap::col_label(int col) const {
    return col < col_labels.size() ? col_labels[col] : QString::number(col);
}

Heatmap::Layout Heatmap::layout(const QRectF& in, const Theme& theme) const {
    Layout out;
    const QFontMetricsF metrics(theme.fixed_font());
    const QFontMetricsF word_metrics(theme.font());
    const double digits = metrics.horizontalAdvance(QString::number(std::max(rows(), 10)));
    const double left =
        std::max(row_labels.isEmpty() ? digits : widest_of(row_labels, theme.fixed_font(), row_widths_),
                 word_metrics.horizontalAdvance(row_title)) +
        8;
    const double bar = colour_bar_width(style.scale, has_marks(), theme);
    // A causal square leaves its upper right corner empty: the colour bar stands there if there is room.
    const bool in_corner =
        square && style.causal && view.isNull() && rows() >= 5 && std::min(in.width(), in.height()) > 300;
    const double top =
        line_height + 8 + (title.isEmpty() ? 0 : line_height + 2) + (legend.isEmpty() ? 0 : line_height);
    const QRectF sight = seen();

    const double room = std::max(10.0, in.width() - left - (in_corner ? 4 : bar + 14));
    const double widest = col_labels.isEmpty() ? metrics.horizontalAdvance(QString::number(cols()))
                                               : widest_of(col_labels, theme.fixed_font(), col_widths_);
    const bool few = cols() <= 60;
    out.upright = !col_labels.isEmpty() && !(few && widest + 8 <= room / sight.width());
    const double bottom = (out.upright ? widest + 4 : line_height) + 4;
    QRectF cells(in.left() + left, in.top() + top, room, std::max(10.0, in.height() - top - bottom));
    if (square) {
        constexpr double largest = 72; // one token is not a poster
        const double side =
            std::min({cells.width() / sight.width(), cells.height() / sight.height(), largest});
        cells.setSize({side * sight.width(), side * sight.height()});
    } else {
        const double tallest = 72, broadest = 140; // nor is a map of four cells
        cells.setWidth(std::min(cells.width(), broadest * sight.width()));
        cells.setHeight(std::min(cells.height(), tallest * sight.height()));
    }
    out.title = QRectF(in.left(), in.top(), in.width(), title.isEmpty() ? 0 : line_height);
    out.cells = cells;
    out.row_labels = QRectF(in.left(), cells.top(), left - 6, cells.height());
    out.col_labels = QRectF(cells.left(), cells.bottom() + 3, cells.width(), bottom);
    out.bar = QRectF(cells.right() + 14, cells.top() - 2, bar,
                     std::max(cells.height(), std::min(110.0, in.bottom() - cells.top())));
    if (in_corner)
        out.bar =
            QRectF(cells.right() - bar, cells.top() - 2, bar, std::min(cells.width() - bar - 30, 220.0));
    out.cell_width = cells.width() / sight.width();
    out.cell_height = cells.height() / sight.height();
    return out;
}

QSizeF Heatmap::preferred_size(const Theme& theme) const {
    const Layout trial = layout(QRectF(0, 0, 640, 480), theme);
    const double chrome_width = 640 - trial.cells.width(), chrome_height = 480 - trial.cells.height();
    if (square) {
        const double side = std::clamp(rows() * 22.0, 220.0, 640.0);
        return {side + trial.cells.left() + trial.bar.width() + 16, side + 480 - trial.cells.bottom() + 48};
    }
    Q_UNUSED(chrome_width);
    Q_UNUSED(chrome_height);
    return {std::clamp(cols() * 44.0 + 160, 320.0, 1000.0), std::clamp(rows() * 30.0 + 90, 180.0, 900.0)};
}

double Heatmap::narrowest_width(const Theme& theme) const {
    const double preferred = preferred_size(theme).width();
    return square ? preferred : std::min(preferred, std::max(cols() * 8.0 + 130, 240.0));
}

int Heatmap::cell_shown(const Layout& layout, double ratio) const {
    int cell = 1;
    while (cell < rows() && cell < 1 / (layout.cell_width * ratio))
        cell *= 2;
    return cell;
}

// The cells in sight, and which numbers they stand for (x column, y row).
QImage Heatmap::large_image(const Layout& layout, double ratio, const CellStyle& shown,
                            QRect& numbers) const {
    const QRectF sight = seen();
    const int cell = cell_shown(layout, ratio), cells = (rows() + cell - 1) / cell;
    const auto last = [&](double edge) {
        return std::min(cells, static_cast<int>(std::ceil(edge / cell))) - 1;
    };
    const QRect part(QPoint(static_cast<int>(sight.left()) / cell, static_cast<int>(sight.top()) / cell),
                     QPoint(last(sight.right()), last(sight.bottom())));
    numbers = QRect(part.left() * cell, part.top() * cell, part.width() * cell, part.height() * cell);
    CellStyle local = shown;
    local.causal = false; // what is not there is NaN
    local.marked.clear();
    for (int col = 0; col < part.width() && !shown.marked.empty(); ++col) {
        bool marked = false;
        const int from = (part.left() + col) * cell;
        for (int key = from; key < std::min(from + cell, cols()); ++key)
            marked = marked || shown.marked[static_cast<std::size_t>(key)];
        local.marked.push_back(marked);
    }
    const Matrix values_there = large->read(cell, part, mean, for_file_);
    return cells_image(values_there, local, QRect(0, 0, part.width(), part.height()), part.size());
}

// What one pixel stands for, where it is not one number.
void Heatmap::paint_cell_note(QPainter& painter, const Layout& layout, const Theme& theme) const {
    const double ratio = painter.device() ? painter.device()->devicePixelRatioF() : 1;
    int cell = cell_shown(layout, ratio);
    if (!large) cell = static_cast<int>(std::ceil(1 / (layout.cell_width * ratio) - 0.01));
    if (cell < 2 || (!large && !square)) return;
    const bool differences = style.scale.map == Map::diverging || style.scale.map == Map::diverging_dark;
    const QString note = (mean          ? QStringLiteral("a dot: the mean of %1 × %1")
                          : differences ? QStringLiteral("a dot: of %1 × %1 the farthest from 0")
                                        : QStringLiteral("a dot: the largest of %1 × %1"))
                             .arg(cell);
    const double left = layout.title.left() + QFontMetricsF(theme.font(13, true)).horizontalAdvance(title);
    const QRectF box(left + 16, layout.title.top(), layout.title.right() - left - 16, line_height);
    if (QFontMetricsF(theme.font()).horizontalAdvance(note) > box.width()) return;
    draw_text(painter, box, Qt::AlignRight | Qt::AlignVCenter, note, theme.font(), theme.muted);
}

void Heatmap::paint_cells(QPainter& painter, const Layout& layout, const Theme& theme) const {
    CellStyle shown = style;
    shown.ground = theme.panel;
    if (sinks_out) shown.marked.clear();
    const QRectF sight = seen();
    const QRect whole(
        QPoint(static_cast<int>(std::floor(sight.left())), static_cast<int>(std::floor(sight.top()))),
        QPoint(std::min(cols(), static_cast<int>(std::ceil(sight.right()))) - 1,
               std::min(rows(), static_cast<int>(std::ceil(sight.bottom()))) - 1));
    const auto place = [&](const QRect& cells) {
        return QRectF(layout.cells.left() + (cells.left() - sight.left()) * layout.cell_width,
                      layout.cells.top() + (cells.top() - sight.top()) * layout.cell_height,
                      cells.width() * layout.cell_width, cells.height() * layout.cell_height);
    };
    const bool raster = painter.paintEngine() && painter.paintEngine()->type() == QPaintEngine::Raster;
    painter.save();
    painter.setRenderHint(QPainter::Antialiasing, false);
    painter.setRenderHint(QPainter::SmoothPixmapTransform, false);
    const double ratio = painter.device() ? painter.device()->devicePixelRatioF() : 1;
    const auto colour_of = [&](int row, int col) {
        if (style.causal && col > row) return QColor();
        const bool marked = !shown.marked.empty() && shown.marked[static_cast<std::size_t>(col)];
        return value_colour(value(row, col), marked, shown);
    };
    if (!raster && std::int64_t{whole.width()} * whole.height() <= vector_cells) {
        painter.setPen(Qt::NoPen);
        for (int row = whole.top(); row <= whole.bottom(); ++row)
            for (int col = whole.left(); col <= whole.right(); ++col) {
                const QColor colour = colour_of(row, col);
                if (!colour.isValid()) continue;
                const QRectF box = place(QRect(col, row, 1, 1)).intersected(layout.cells);
                painter.fillRect(box.adjusted(0, 0, 0.2, 0.2), colour);
            }
    } else if (large) {
        QRect numbers;
        const QImage image = large_image(layout, ratio, shown, numbers);
        painter.setClipRect(layout.cells);
        painter.drawImage(place(numbers), image);
    } else {
        const QRectF target = place(whole);
        const QSize limit(static_cast<int>(std::ceil(target.width() * ratio)),
                          static_cast<int>(std::ceil(target.height() * ratio)));
        if (raster) painter.setClipRect(layout.cells);
        painter.drawImage(target, cells_image(values, shown, whole, limit));
    }
    // Thin seams make cells countable; none where they would be as wide as the cells.
    if (std::min(layout.cell_width, layout.cell_height) >= 9 && raster) {
        painter.setPen(QPen(theme.panel, 1));
        for (int row = whole.top(); row <= whole.bottom() + 1; ++row) {
            const double y = std::round(layout.cells.top() + (row - sight.top()) * layout.cell_height);
            painter.drawLine(QPointF(layout.cells.left(), y), QPointF(layout.cells.right(), y));
        }
        for (int col = whole.left(); col <= whole.right() + 1; ++col) {
            const double x = std::round(layout.cells.left() + (col - sight.left()) * layout.cell_width);
            painter.drawLine(QPointF(x, layout.cells.top()), QPointF(x, layout.cells.bottom()));
        }
    }
    painter.restore();

    if (layout.cell_width >= 42 && layout.cell_height >= 17) {
        for (int row = whole.top(); row <= whole.bottom(); ++row)
            for (int col = whole.left(); col <= whole.right(); ++col) {
                const QColor colour = colour_of(row, col);
                const QRectF box = place(QRect(col, row, 1, 1));
                if (!colour.isValid() || !layout.cells.adjusted(-1, -1, 1, 1).contains(box)) continue;
                // Three digits where they fit, else two decimals, which all cells of a scale up to 1 share.
                const QFontMetricsF metrics(theme.fixed_font());
                QString text = number(value(row, col));
                if (metrics.horizontalAdvance(text) > box.width() - 6) text = decimal(value(row, col), 2);
                if (metrics.horizontalAdvance(text) > box.width() - 6) continue;
                draw_text(painter, box, Qt::AlignCenter, text, theme.fixed_font(), text_on(colour));
            }
    }
}

void Heatmap::paint_tags(QPainter& painter, const Layout& layout, const Theme& theme) const {
    if (tags.empty() || layout.cell_width < 9 || layout.cell_height < 9) return;
    CellStyle shown = style;
    shown.ground = theme.panel;
    const QRectF sight = seen();
    painter.save();
    painter.setBrush(Qt::NoBrush);
    // Beside a number the sign keeps to the corner.
    const bool numbered = layout.cell_width >= 42 && layout.cell_height >= 17;
    for (const Tag& tag : tags) {
        const QRectF box(layout.cells.left() + (tag.col - sight.left()) * layout.cell_width,
                         layout.cells.top() + (tag.row - sight.top()) * layout.cell_height, layout.cell_width,
                         layout.cell_height);
        const QColor ground = cell_colour(values, shown, tag.row, tag.col);
        if (!ground.isValid() || !layout.cells.adjusted(-1, -1, 1, 1).contains(box)) continue;
        const QColor ink = text_on(ground);
        if (tag.strong) {
            painter.setPen(QPen(ink, 1.4));
            painter.drawRect(box.adjusted(2, 2, -2, -2));
        }
        draw_text(painter, numbered ? QRectF(box.left() + 3, box.top() + 1, 12, 12) : box,
                  numbered ? Qt::AlignLeft | Qt::AlignTop : Qt::AlignCenter, tag.sign, theme.font(12),
                  tag.colour.isValid() ? tag.colour : ink);
    }
    painter.restore();
}

void Heatmap::paint_labels(QPainter& painter, const Layout& layout, const Theme& theme) const {
    const QFont fixed = theme.fixed_font();
    const QRectF sight = seen();
    const auto colour_of = [&](bool selected, const QColor& strong) {
        return selected ? strong : theme.muted;
    };
    const int row_step = std::max(1, static_cast<int>(std::ceil(14 / layout.cell_height)));
    for (int row = static_cast<int>(std::ceil(sight.top() - 0.5)); row < sight.bottom() - 0.5; ++row) {
        if (row % row_step != 0) continue;
        const double middle = layout.cells.top() + (row + 0.5 - sight.top()) * layout.cell_height;
        const bool selected = selected_row == row;
        draw_text(painter, QRectF(layout.row_labels.left(), middle - 9, layout.row_labels.width(), 18),
                  Qt::AlignRight | Qt::AlignVCenter, elided(row_label(row), fixed, longest_label), fixed,
                  colour_of(selected, theme.query));
    }
    const double label_width =
        layout.upright ? 14
                       : std::max(24.0, QFontMetricsF(fixed).horizontalAdvance(col_label(cols() - 1)) + 6);
    const int col_step = std::max(1, static_cast<int>(std::ceil(label_width / layout.cell_width)));
    for (int col = static_cast<int>(std::ceil(sight.left() - 0.5)); col < sight.right() - 0.5; ++col) {
        if (col % col_step != 0) continue;
        const double middle = layout.cells.left() + (col + 0.5 - sight.left()) * layout.cell_width;
        const QColor colour = colour_of(selected_col == col, theme.key);
        const QString label = elided(col_label(col), fixed, longest_label);
        if (!layout.upright) {
            draw_text(painter, QRectF(middle - 55, layout.col_labels.top(), 110, line_height),
                      Qt::AlignCenter, label, fixed, colour);
            continue;
        }
        painter.save();
        painter.translate(middle, layout.col_labels.top());
        painter.rotate(-90);
        draw_text(painter, QRectF(-longest_label - 20, -9, longest_label + 20, 18),
                  Qt::AlignRight | Qt::AlignVCenter, label, fixed, colour);
        painter.restore();
    }
    const QRectF head(layout.row_labels.left(), layout.cells.top() - line_height - 6,
                      layout.row_labels.width(), line_height);
    draw_text(painter, head, Qt::AlignRight | Qt::AlignVCenter, row_title, theme.font(), theme.muted);
    draw_text(painter, QRectF(layout.cells.left(), head.top(), layout.cells.width(), line_height),
              Qt::AlignLeft | Qt::AlignVCenter,
              col_title.isEmpty() ? QString() : col_title + QStringLiteral(" →"), theme.font(), theme.muted);
}

void Heatmap::paint(QPainter& painter, const QRectF& in, const Theme& theme) const {
    const Layout laid = layout(in, theme);
    draw_text(painter, laid.title, Qt::AlignLeft | Qt::AlignVCenter, title, theme.font(13, true), theme.text);
    if (!said_in_place.isEmpty() || empty()) {
        painter.setFont(theme.font(13));
        painter.setPen(theme.muted);
        painter.drawText(in.adjusted(24, line_height, -24, 0), Qt::AlignCenter | Qt::TextWordWrap,
                         said_in_place.isEmpty() ? QStringLiteral("Nothing to draw yet.") : said_in_place);
        return;
    }
    if (!legend.isEmpty())
        draw_text(painter, laid.title.translated(0, line_height), Qt::AlignLeft | Qt::AlignVCenter,
                  elided(legend, theme.font(), in.width()), theme.font(), theme.muted);
    paint_cells(painter, laid, theme);
    paint_tags(painter, laid, theme);
    paint_cell_note(painter, laid, theme);
    paint_labels(painter, laid, theme);
    paint_colour_bar(painter, laid.bar, style.scale, has_marks(), theme);
}

void Heatmap::paint_marks(QPainter& painter, const QRectF& in, const Theme& theme,
                          const std::optional<QPointF>& pointer) const {
    if (!said_in_place.isEmpty() || empty()) return;
    const Layout laid = layout(in, theme);
    const QRectF sight = seen();
    painter.save();
    painter.setClipRect(laid.cells.adjusted(-2, -2, 2, 2));
    painter.setBrush(Qt::NoBrush);
    const auto frame = [&](double col, double row, double cols, double rows, const QColor& colour,
                           double width) {
        // Where cells are hardly wider than a line, the line must not hide them.
        QColor ink = colour;
        const bool dense = std::min(laid.cell_width, laid.cell_height) < 5;
        if (dense) ink.setAlphaF(0.6F);
        painter.setPen(QPen(ink, dense ? 0.8 : width));
        painter.drawRect(QRectF(laid.cells.left() + (col - sight.left()) * laid.cell_width,
                                laid.cells.top() + (row - sight.top()) * laid.cell_height,
                                cols * laid.cell_width, rows * laid.cell_height));
    };
    if (selected_row) frame(0, *selected_row, style.causal ? *selected_row + 1 : cols(), 1, theme.query, 1.2);
    if (selected_col) {
        const int from = style.causal ? *selected_col : 0;
        frame(*selected_col, from, 1, rows() - from, theme.key, 1.2);
    }
    if (selected_row && selected_col && !(style.causal && *selected_col > *selected_row))
        frame(*selected_col, *selected_row, 1, 1, Qt::white, 2);
    if (second && !(style.causal && second->x() > second->y()))
        frame(second->x(), second->y(), 1, 1, theme.key, 2);
    if (pointer) {
        if (const auto cell = cell_at(*pointer, in, theme)) frame(cell->x(), cell->y(), 1, 1, theme.text, 1);
    }
    painter.restore();
}

std::optional<QPoint> Heatmap::cell_at(const QPointF& at, const QRectF& in, const Theme& theme) const {
    if (empty() || !said_in_place.isEmpty()) return std::nullopt;
    const Layout laid = layout(in, theme);
    if (!laid.cells.contains(at)) return std::nullopt;
    const QRectF sight = seen();
    const int col = static_cast<int>(sight.left() + (at.x() - laid.cells.left()) / laid.cell_width);
    const int row = static_cast<int>(sight.top() + (at.y() - laid.cells.top()) / laid.cell_height);
    if (row < 0 || col < 0 || row >= rows() || col >= cols() || (style.causal && col > row))
        return std::nullopt;
    return QPoint(col, row);
}

QString Heatmap::describe_cell(int row, int col) const {
    const auto named = [](const QString& axis, int index, const QStringList& labels) {
        const QString at =
            axis.isEmpty() ? QString::number(index) : axis + QLatin1Char(' ') + QString::number(index);
        return labels.isEmpty() || index >= labels.size() ? at : at + QStringLiteral(" ") + labels[index];
    };
    const float here = value(row, col);
    const QString what = style.scale.unit.isEmpty() ? QString() : QStringLiteral(" ") + style.scale.unit;
    QString said = std::isnan(here) ? QStringLiteral("left out") : number(here) + what;
    for (const Tag& tag : tags)
        if (tag.row == row && tag.col == col) said += QStringLiteral(" · ") + tag.words;
    return named(row_title, row, row_labels) + QStringLiteral(" · ") + named(col_title, col, col_labels) +
           QStringLiteral(" = ") + said;
}

QString Heatmap::describe(const QPointF& at, const QRectF& in, const Theme& theme) const {
    const auto cell = cell_at(at, in, theme);
    if (!cell) return {};
    const QString said = describe_cell(cell->y(), cell->x());
    return meaning.isEmpty() ? said : said + QStringLiteral("  –  ") + meaning;
}

void Heatmap::select(const Spot& here) {
    const auto index_on = [&](const QString& axis, int size) -> std::optional<int> {
        const int index = axis == QLatin1String("layer")  ? here.layer
                          : axis == QLatin1String("head") ? here.head
                          : axis == QLatin1String("key")  ? here.key
                          : axis == QLatin1String("query") || axis == QLatin1String("pos") ||
                                  axis == QLatin1String("position")
                              ? here.query
                              : -1;
        return index >= 0 && index < size ? std::optional(index) : std::nullopt;
    };
    selected_row = index_on(row_title, rows());
    selected_col = index_on(col_title, cols());
    if (row_title == QLatin1String("layer · head")) {
        const qsizetype row = row_labels.indexOf(QStringLiteral("L%1 H%2").arg(here.layer).arg(here.head));
        if (row >= 0) selected_row = static_cast<int>(row);
    }
}

Spot Heatmap::spot_at(const QPointF& at, const QRectF& in, const Theme& theme) const {
    Spot out;
    const auto cell = cell_at(at, in, theme);
    if (!cell) return out;
    const auto set = [&](const QString& axis, int index) {
        if (axis == QLatin1String("layer")) out.layer = index;
        if (axis == QLatin1String("head")) out.head = index;
        if (axis == QLatin1String("query") || axis == QLatin1String("pos") ||
            axis == QLatin1String("position"))
            out.query = index;
        if (axis == QLatin1String("key")) out.key = index;
        // Rows of several axes: "L0 H3" under "layer · head".
        if (axis == QLatin1String("layer · head") && index < row_labels.size()) {
            const QStringList parts = row_labels[index].split(QLatin1Char(' '));
            if (parts.size() == 2) out.layer = parts[0].mid(1).toInt(), out.head = parts[1].mid(1).toInt();
        }
    };
    set(row_title, cell->y());
    set(col_title, cell->x());
    return out;
}

void Heatmap::move_inside(QRectF& wanted) const {
    wanted.setSize({std::min(wanted.width(), double(cols())), std::min(wanted.height(), double(rows()))});
    wanted.moveLeft(std::clamp(wanted.left(), 0.0, cols() - wanted.width()));
    wanted.moveTop(std::clamp(wanted.top(), 0.0, rows() - wanted.height()));
}

bool Heatmap::zoom(double factor, const QPointF& at, const QRectF& in, const Theme& theme) {
    if (empty()) return false;
    const QRectF sight = seen();
    const auto share_at = [&](const Layout& laid) {
        return QPointF(std::clamp((at.x() - laid.cells.left()) / laid.cells.width(), 0.0, 1.0),
                       std::clamp((at.y() - laid.cells.top()) / laid.cells.height(), 0.0, 1.0));
    };
    const QPointF before = share_at(layout(in, theme));
    const QPointF cell(sight.left() + before.x() * sight.width(), sight.top() + before.y() * sight.height());
    const double width = std::max(4.0, sight.width() / factor),
                 height = std::max(4.0, sight.height() / factor);
    if (width >= cols() && height >= rows()) {
        view = {};
        return true;
    }
    // The colour bar leaves its corner as soon as that is not empty, so the layout is asked again.
    view = QRectF(0, 0, width, height);
    const QPointF after = share_at(layout(in, theme));
    view.moveTopLeft({cell.x() - after.x() * width, cell.y() - after.y() * height});
    move_inside(view);
    return true;
}

bool Heatmap::pan(const QPointF& by, const QRectF& in, const Theme& theme) {
    if (view.isNull()) return false;
    const Layout laid = layout(in, theme);
    QRectF wanted = view.translated(-by.x() / laid.cell_width, -by.y() / laid.cell_height);
    move_inside(wanted);
    view = wanted;
    return true;
}

QString Heatmap::csv() const {
    QString out = (row_title.isEmpty() ? QStringLiteral("row") : row_title) + QLatin1Char(',') +
                  (col_title.isEmpty() ? QStringLiteral("column") : col_title) + QStringLiteral(",value\n");
    if (empty()) return out;
    const QRectF sight = large ? seen() : QRectF(0, 0, cols(), rows());
    constexpr double most = 1e6; // what a clipboard takes
    if (large && sight.width() * sight.height() > most)
        return QStringLiteral("%1 × %2 numbers are too many to be copied: zoom in, and what is in sight is "
                              "copied.\n")
            .arg(sight.width(), 0, 'f', 0)
            .arg(sight.height(), 0, 'f', 0);
    for (int row = static_cast<int>(sight.top());
         row < std::min(rows(), static_cast<int>(std::ceil(sight.bottom()))); ++row)
        for (int col = static_cast<int>(sight.left());
             col < std::min(cols(), static_cast<int>(std::ceil(sight.right()))); ++col) {
            if (style.causal && col > row) continue;
            out += QString::number(row) + QLatin1Char(',') + QString::number(col) + QLatin1Char(',') +
                   csv_number(value(row, col)) + QLatin1Char('\n');
        }
    return out;
}

} // namespace vitrine::figure
