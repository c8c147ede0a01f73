#include "views/figure/table.h"

#include <QFontMetricsF>
#include <algorithm>
#include <cmath>
#include <numeric>

namespace vitrine::figure {

namespace {

constexpr double table_row = 20;
constexpr double table_title = 22;
constexpr double roomy_gap = 14, tight_gap = 4; ///< between columns
constexpr double short_name = 60;               ///< pixels up to which a row's name is never cut

} // namespace

double Table::gap(const Theme& theme, double room) const {
    double sum = 0;
    for (const double width : natural(theme))
        sum += width + roomy_gap;
    return sum <= room ? roomy_gap : tight_gap;
}

// What each column needs to be read whole.
std::vector<double> Table::natural(const Theme& theme) const {
    const QFontMetricsF words(theme.font()), fixed(theme.fixed_font());
    std::vector<double> out;
    for (int col = 0; col < columns.size(); ++col) {
        double width = words.horizontalAdvance(head_of(col));
        for (const QStringList& row : rows)
            width = std::max(width, std::min(fixed.horizontalAdvance(row[col]), 260.0));
        out.push_back(width + 2);
    }
    return out;
}

std::vector<double> Table::widths(const Theme& theme, double room) const {
    std::vector<double> out = natural(theme);
    const double between = gap(theme, room);
    double sum = 0;
    for (double& width : out)
        sum += width += between;
    if (sum <= room || out.empty()) return out;
    // The widest give way first: what is short stays whole, and so does a short name that rows begin with.
    const bool named = !numeric.front() && out.front() <= short_name;
    const double name = named ? out.front() : 0;
    double low = 0, high = *std::max_element(out.begin(), out.end());
    for (int step = 0; step < 40; ++step) {
        const double cap = (low + high) / 2;
        double capped = name;
        for (std::size_t col = named ? 1 : 0; col < out.size(); ++col)
            capped += std::min(out[col], cap);
        (capped > room ? high : low) = cap;
    }
    for (std::size_t col = named ? 1 : 0; col < out.size(); ++col)
        out[col] = std::min(out[col], low);
    return out;
}

QSizeF Table::preferred_size(const Theme& theme) const {
    double width = 0;
    for (const double column : widths(theme, 1e9))
        width += column;
    return {std::max(width, 200.0),
            (title.isEmpty() ? 0 : table_title) + table_row * (static_cast<double>(rows.size()) + 1) + 8};
}

void Table::paint(QPainter& painter, const QRectF& in, const Theme& theme) const {
    double top = in.top();
    if (!title.isEmpty()) {
        draw_text(painter, QRectF(in.left(), top, in.width(), 18), Qt::AlignLeft | Qt::AlignVCenter, title,
                  theme.font(13, true), theme.text);
        top += table_title;
    }
    const auto columns_width = widths(theme, in.width());
    const double between = gap(theme, in.width());
    const auto line = [&](const QStringList& cells, bool head) {
        double left = in.left();
        for (int col = 0; col < cells.size(); ++col) {
            const auto at = static_cast<std::size_t>(col);
            const double width = columns_width[at] - between;
            const QFont font = head ? theme.font() : theme.fixed_font();
            draw_text(painter, QRectF(left, top, width, table_row),
                      (numeric[at] ? Qt::AlignRight : Qt::AlignLeft) | Qt::AlignVCenter,
                      elided(cells[col], font, width), font, head ? theme.muted : theme.text);
            left += columns_width[at];
        }
        top += table_row;
    };
    QStringList heads;
    for (int col = 0; col < columns.size(); ++col)
        heads << head_of(col);
    line(heads, true);
    painter.setPen(QPen(theme.line, 1));
    painter.drawLine(QPointF(in.left(), top - 0.5), QPointF(in.right(), top - 0.5));
    for (std::size_t i = 0; i < rows.size(); ++i) {
        const bool last_line = top + 2 * table_row > in.bottom() + 1 && i + 1 < rows.size();
        if (last_line) {
            draw_text(painter, QRectF(in.left(), top, in.width(), table_row),
                      Qt::AlignLeft | Qt::AlignVCenter,
                      QStringLiteral("%1 more rows: in the exported data").arg(rows.size() - i), theme.font(),
                      theme.muted);
            return;
        }
        line(rows[i], false);
    }
}

QString Table::head_of(int column) const {
    if (column != sorted_by_) return columns[column];
    return columns[column] + (upwards_ ? QStringLiteral(" ↑") : QStringLiteral(" ↓"));
}

void Table::sort_by(int column) {
    if (column < 0 || column >= columns.size()) return;
    const auto col = static_cast<std::size_t>(column);
    const bool by_number = numeric[col] && !keys.empty();
    upwards_ = column == sorted_by_ ? !upwards_ : !by_number;
    sorted_by_ = column;
    std::vector<std::size_t> order(rows.size());
    std::iota(order.begin(), order.end(), std::size_t{0});
    std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
        if (!by_number) {
            const int compared = QString::localeAwareCompare(rows[a][column], rows[b][column]);
            return upwards_ ? compared < 0 : compared > 0;
        }
        const double one = keys[a][col], other = keys[b][col];
        if (std::isnan(one) || std::isnan(other)) return !std::isnan(one) && std::isnan(other);
        return upwards_ ? one < other : one > other;
    });
    const auto rearrange = [&](auto& list) {
        if (list.empty()) return;
        auto sorted = list;
        for (std::size_t i = 0; i < order.size(); ++i)
            sorted[i] = list[order[i]];
        list = std::move(sorted);
    };
    rearrange(rows);
    rearrange(keys);
    rearrange(spots);
}

int Table::column_at(const QPointF& at, const QRectF& in, const Theme& theme) const {
    const double top = in.top() + (title.isEmpty() ? 0 : table_title);
    if (at.y() < top || at.y() >= top + table_row) return -1;
    double left = in.left();
    const auto laid = widths(theme, in.width());
    for (std::size_t col = 0; col < laid.size(); ++col) {
        if (at.x() >= left && at.x() < left + laid[col]) return static_cast<int>(col);
        left += laid[col];
    }
    return -1;
}

bool Table::press(const QPointF& at, const QRectF& in, const Theme& theme) {
    const int column = column_at(at, in, theme);
    sort_by(column); // −1: nothing
    return column >= 0;
}

int Table::row_at(const QPointF& at, const QRectF& in) const {
    const double down = at.y() - in.top() - (title.isEmpty() ? 0 : table_title) - table_row;
    const auto row = static_cast<std::size_t>(std::max(0.0, down) / table_row);
    return down < 0 || row >= rows.size() || !in.contains(at) ? -1 : static_cast<int>(row);
}

void Table::paint_marks(QPainter& painter, const QRectF& in, const Theme& theme,
                        const std::optional<QPointF>& pointer) const {
    const auto veil = [&](std::size_t row, const QColor& colour, float opacity) {
        const double top =
            in.top() + (title.isEmpty() ? 0 : table_title) + table_row * (static_cast<double>(row) + 1);
        if (top + table_row > in.bottom() + 1) return;
        QColor ink = colour;
        ink.setAlphaF(opacity);
        painter.fillRect(QRectF(in.left() - 4, top, in.width() + 8, table_row), ink);
    };
    for (std::size_t row = 0; row < spots.size(); ++row)
        if (spots[row].layer >= 0 && spots[row].layer == selected.layer && spots[row].head == selected.head)
            veil(row, theme.query, 0.18F);
    if (const int row = pointer ? row_at(*pointer, in) : -1; row >= 0 && !spots.empty())
        veil(static_cast<std::size_t>(row), theme.accent, 0.12F);
}

Spot Table::spot_at(const QPointF& at, const QRectF& in, const Theme&) const {
    const int row = row_at(at, in);
    return row < 0 || spots.empty() ? Spot{} : spots[static_cast<std::size_t>(row)];
}

QString Table::describe(const QPointF& at, const QRectF& in, const Theme& theme) const {
    const int row = row_at(at, in);
    if (row < 0) {
        const int column = column_at(at, in, theme);
        if (column < 0) return {};
        const QString what = column < meanings.size() ? meanings[column] : columns[column];
        return what + QStringLiteral("  –  a click sorts by it");
    }
    QString out;
    for (int col = 0; col < columns.size(); ++col)
        out += (col ? QStringLiteral(" · ") : QString()) +
               (col < meanings.size() ? meanings[col] : columns[col]) + QLatin1Char(' ') +
               rows[static_cast<std::size_t>(row)][col];
    return out;
}

QString Table::csv() const {
    QString out;
    for (int col = 0; col < columns.size(); ++col)
        out += (col ? QStringLiteral(",") : QString()) + csv_field(columns[col]);
    out += QLatin1Char('\n');
    for (const QStringList& row : rows) {
        for (int col = 0; col < row.size(); ++col)
            out += (col ? QStringLiteral(",") : QString()) + csv_field(row[col]);
        out += QLatin1Char('\n');
    }
    return out;
}

QSizeF Card::preferred_size(const Theme& theme) const {
    const double said = QFontMetricsF(theme.font(13)).horizontalAdvance(text) + 4;
    const double named = QFontMetricsF(theme.font(13, true)).horizontalAdvance(title) + 4;
    const double width = std::max({170.0, named, text.isEmpty() ? 0.0 : std::min(said, 560.0)});
    return {width, height_at(width, theme)};
}

double Card::height_at(double width, const Theme& theme) const {
    const QRectF room =
        QFontMetricsF(theme.font(13)).boundingRect(QRectF(0, 0, width, 1e5), Qt::TextWordWrap, text);
    return (title.isEmpty() ? 0 : 22) + (big.isEmpty() ? 0 : 38) + (text.isEmpty() ? 0 : room.height() + 8) +
           4;
}

void Card::paint(QPainter& painter, const QRectF& in, const Theme& theme) const {
    double top = in.top();
    if (!title.isEmpty()) {
        draw_text(painter, QRectF(in.left(), top, in.width(), 18), Qt::AlignLeft | Qt::AlignVCenter, title,
                  theme.font(13, true), theme.text);
        top += 22;
    }
    if (!big.isEmpty()) {
        draw_text(painter, QRectF(in.left(), top, in.width(), 34), Qt::AlignLeft | Qt::AlignVCenter, big,
                  theme.fixed_font(24), theme.text);
        top += 38;
    }
    painter.setFont(theme.font(13));
    painter.setPen(theme.text);
    painter.drawText(QRectF(in.left(), top, in.width(), std::max(0.0, in.bottom() - top)),
                     Qt::AlignLeft | Qt::AlignTop | Qt::TextWordWrap, text);
}

QString Card::csv() const {
    return QStringLiteral("name,value\n") + csv_field(title) + QLatin1Char(',') +
           csv_field(big.isEmpty() ? text : big) + QLatin1Char('\n');
}

} // namespace vitrine::figure
