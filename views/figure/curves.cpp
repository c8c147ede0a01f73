#include "views/figure/curves.h"

#include <QFontMetricsF>
#include <algorithm>
#include <cmath>

#include "views/figure/series.h"

namespace vitrine::figure {

namespace {

constexpr double near = 12; ///< pixels from a line within which it is meant
constexpr double name_height = 16;

double highest(const Curves::Line& line) {
    double out = -INFINITY;
    for (const double value : line.values)
        if (std::isfinite(value)) out = std::max(out, value);
    return out;
}

// Moves names apart, in the order of their heights, and none below the last line of the room.
void spread(std::vector<std::pair<double, std::size_t>>& names, double top, double bottom) {
    std::sort(names.begin(), names.end());
    double free_from = top;
    for (auto& [y, line] : names) {
        y = std::max(y, free_from);
        free_from = y + name_height;
    }
    double free_to = bottom;
    for (auto at = names.rbegin(); at != names.rend(); ++at) {
        at->first = std::min(at->first, free_to);
        free_to = at->first - name_height;
    }
}

} // namespace

std::vector<std::size_t> Curves::strongest() const {
    std::vector<std::size_t> order(lines.size());
    for (std::size_t i = 0; i < order.size(); ++i)
        order[i] = i;
    if (order.size() > most_hues) {
        std::stable_sort(order.begin(), order.end(), [this](std::size_t a, std::size_t b) {
            return highest(lines[a]) > highest(lines[b]);
        });
        order.resize(most_hues);
    }
    return order;
}

PlotFrame Curves::frame(const QRectF& in, const Theme& theme) const {
    std::vector<double> all;
    for (const Line& line : lines)
        for (const double value : line.values)
            if (!log_y || value > 0) all.push_back(value); // zeros lie on the floor of a logarithmic axis
    NumberAxis across = log_x ? log_axis_of(x) : axis_of(x);
    if (!log_x && !x.empty()) { // steps have no air
        const auto [low, high] = std::minmax_element(x.begin(), x.end());
        across = {*low, *low == *high ? *low + 1 : *high, false, false};
    }
    NumberAxis upwards = log_y ? log_axis_of(all) : axis_of(all);
    if (log_y && upwards.log) upwards.low /= 1.15, upwards.high *= 1.15;
    double beside = 12;
    const QFontMetricsF metrics(theme.font());
    if (lines.size() > 1)
        for (const std::size_t i : strongest())
            beside = std::max(beside, metrics.horizontalAdvance(lines[i].name) + 14);
    return plot_frame(in, across, upwards, (title.isEmpty() ? 0 : 22) + 24, beside, theme);
}

void Curves::draw(QPainter& painter, const PlotFrame& laid, const Line& line, const QPen& pen) const {
    painter.setPen(pen);
    std::optional<std::size_t> last; // that was measured
    for (std::size_t i = 0; i < line.values.size() && i < x.size(); ++i) {
        if (!std::isfinite(line.values[i])) continue;
        const QPointF here = laid.at(x[i], line.values[i]);
        const bool joined = last && (over_gaps || *last + 1 == i);
        if (joined)
            painter.drawLine(laid.at(x[*last], line.values[*last]), here);
        else
            painter.drawPoint(here);
        if (joined && *last + 1 < i) painter.drawEllipse(here, 1.5, 1.5);
        last = i;
    }
}

void Curves::paint(QPainter& painter, const QRectF& in, const Theme& theme) const {
    draw_text(painter, QRectF(in.left(), in.top(), in.width(), 18), Qt::AlignLeft | Qt::AlignVCenter, title,
              theme.font(13, true), theme.text);
    if (!said_in_place.isEmpty() || lines.empty() || x.empty()) {
        painter.setFont(theme.font(13));
        painter.setPen(theme.muted);
        painter.drawText(in.adjusted(12, 22, -12, 0), Qt::AlignCenter | Qt::TextWordWrap,
                         said_in_place.isEmpty() ? QStringLiteral("Nothing to draw yet.") : said_in_place);
        return;
    }
    const PlotFrame laid = frame(in, theme);
    const auto named = strongest();
    painter.save();
    painter.setRenderHint(QPainter::Antialiasing, true);
    laid.paint(painter, x_title, unit, theme);
    for (std::size_t i = 0; i < lines.size(); ++i)
        if (std::find(named.begin(), named.end(), i) == named.end())
            draw(painter, laid, lines[i], QPen(blend(theme.panel, theme.muted, 0.45), 1));
    std::vector<std::pair<double, std::size_t>> names; // where each name wants to stand, and which it is
    for (std::size_t rank = 0; rank < named.size(); ++rank) {
        const Line& line = lines[named[rank]];
        const QColor colour = category_colour(static_cast<int>(rank), theme);
        draw(painter, laid, line, QPen(colour, 1.8));
        painter.setPen(Qt::NoPen);
        painter.setBrush(colour);
        double last = std::nan("");
        for (std::size_t i = 0; i < line.values.size() && i < x.size(); ++i) {
            if (!std::isfinite(line.values[i])) continue;
            last = line.values[i];
            if (laid.plot.width() / static_cast<double>(x.size()) >= 9)
                painter.drawEllipse(laid.at(x[i], last), 2.2, 2.2);
        }
        if (std::isfinite(last)) names.emplace_back(laid.at(x.back(), last).y() - name_height / 2, rank);
    }
    if (lines.size() > 1) {
        spread(names, laid.plot.top() - name_height / 2, laid.plot.bottom() - name_height / 2);
        for (const auto& [y, rank] : names)
            draw_text(painter, QRectF(laid.plot.right() + 8, y, 300, name_height),
                      Qt::AlignLeft | Qt::AlignVCenter, lines[named[rank]].name, theme.font(),
                      category_colour(static_cast<int>(rank), theme));
    }
    painter.restore();
}

void Curves::paint_marks(QPainter& painter, const QRectF& in, const Theme& theme,
                         const std::optional<QPointF>& pointer) const {
    if (!said_in_place.isEmpty() || lines.empty() || x.empty()) return;
    const PlotFrame laid = frame(in, theme);
    painter.save();
    for (const Line& line : lines)
        if (line.layer >= 0 && line.layer == selected_layer && line.head == selected_head)
            draw(painter, laid, line, QPen(theme.query, 3));
    if (pointer) {
        const auto [line, index] = at(*pointer, in, theme);
        if (line >= 0) {
            painter.setPen(QPen(theme.text, 1.5));
            painter.setBrush(Qt::NoBrush);
            const auto i = static_cast<std::size_t>(index);
            painter.drawEllipse(laid.at(x[i], lines[static_cast<std::size_t>(line)].values[i]), 5, 5);
        }
    }
    painter.restore();
}

std::pair<int, int> Curves::at(const QPointF& point, const QRectF& in, const Theme& theme) const {
    if (!said_in_place.isEmpty() || lines.empty() || x.empty()) return {-1, -1};
    const PlotFrame laid = frame(in, theme);
    if (!laid.plot.adjusted(-near, -near, near, near).contains(point)) return {-1, -1};
    std::size_t index = 0;
    for (std::size_t i = 0; i < x.size(); ++i)
        if (std::abs(laid.at(x[i], 0).x() - point.x()) < std::abs(laid.at(x[index], 0).x() - point.x()))
            index = i;
    int best = -1;
    double least = near;
    // Between two steps the line itself counts, so the distance is taken where the pointer is.
    for (std::size_t i = 0; i < lines.size(); ++i) {
        const auto& values = lines[i].values;
        for (std::size_t j = 0; j < values.size() && j < x.size(); ++j) {
            if (!std::isfinite(values[j])) continue;
            const QPointF here = laid.at(x[j], values[j]);
            double distance = std::hypot(here.x() - point.x(), here.y() - point.y());
            if (j > 0 && std::isfinite(values[j - 1])) {
                const QPointF before = laid.at(x[j - 1], values[j - 1]);
                if (before.x() <= point.x() && point.x() <= here.x() && here.x() > before.x()) {
                    const double share = (point.x() - before.x()) / (here.x() - before.x());
                    distance = std::min(distance,
                                        std::abs(before.y() + share * (here.y() - before.y()) - point.y()));
                }
            }
            if (distance < least) least = distance, best = static_cast<int>(i);
        }
    }
    if (best >= 0 && !std::isfinite(lines[static_cast<std::size_t>(best)].values[index])) return {-1, -1};
    return {best, best < 0 ? -1 : static_cast<int>(index)};
}

QString Curves::describe(const QPointF& point, const QRectF& in, const Theme& theme) const {
    const auto [line, index] = at(point, in, theme);
    if (line < 0) return {};
    const Line& said = lines[static_cast<std::size_t>(line)];
    const auto i = static_cast<std::size_t>(index);
    QString out = said.name.isEmpty() ? QString() : said.name + QStringLiteral(" · ");
    const QString where = index < x_names.size() ? x_names[index] : tick(x[i]);
    out += QStringLiteral("%1 %2 · %3").arg(x_title, where, number(said.values[i]));
    if (!unit.isEmpty()) out += QLatin1Char(' ') + unit;
    if (!meaning.isEmpty()) out += QStringLiteral("  –  ") + meaning;
    return out;
}

Spot Curves::spot_at(const QPointF& point, const QRectF& in, const Theme& theme) const {
    Spot out;
    if (const auto [line, index] = at(point, in, theme); line >= 0) {
        out.layer = lines[static_cast<std::size_t>(line)].layer;
        out.head = lines[static_cast<std::size_t>(line)].head;
    }
    return out;
}

void Curves::select(const Spot& here) {
    selected_layer = here.layer;
    selected_head = here.head;
}

QString Curves::csv() const {
    const bool named = x_names.size() == static_cast<qsizetype>(x.size());
    QString out = csv_field(x_title.isEmpty() ? QStringLiteral("x") : x_title);
    for (const Line& line : lines)
        out += QLatin1Char(',') + csv_field(line.name.isEmpty() ? title : line.name);
    out += QLatin1Char('\n');
    for (std::size_t i = 0; i < x.size(); ++i) {
        out += named ? csv_field(x_names[static_cast<qsizetype>(i)]) : csv_number(x[i]);
        for (const Line& line : lines)
            out += QLatin1Char(',') + (i < line.values.size() ? csv_number(line.values[i]) : QString());
        out += QLatin1Char('\n');
    }
    return out;
}

} // namespace vitrine::figure
