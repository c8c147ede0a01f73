#include "views/figure/scatter.h"

#include <QFontMetricsF>
#include <algorithm>
#include <cmath>

namespace vitrine::figure {

namespace {

constexpr double radius = 4;
constexpr double near_point = 14; ///< pixels from the pointer within which a point is meant

double median_of(std::vector<double> values) {
    if (values.empty()) return 0;
    const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
    std::nth_element(values.begin(), middle, values.end());
    return *middle;
}

} // namespace

bool Scatter::drawable(const Point& point) const { return std::isfinite(point.x) && std::isfinite(point.y); }

std::vector<std::size_t> Scatter::outstanding() const {
    std::vector<double> xs, ys;
    for (const Point& point : points)
        if (drawable(point)) xs.push_back(point.x), ys.push_back(point.y);
    const double x_middle = median_of(xs), y_middle = median_of(ys);
    const auto spread = [](const std::vector<double>& values, double middle) {
        double sum = 0;
        for (const double value : values)
            sum += std::abs(value - middle);
        return values.empty() || sum == 0 ? 1.0 : sum / static_cast<double>(values.size());
    };
    const double x_spread = spread(xs, x_middle), y_spread = spread(ys, y_middle);
    const auto distance = [&](std::size_t i) {
        return std::hypot((points[i].x - x_middle) / x_spread, (points[i].y - y_middle) / y_spread);
    };
    std::vector<std::size_t> out;
    for (std::size_t i = 0; i < points.size(); ++i)
        if (drawable(points[i])) out.push_back(i);
    std::stable_sort(out.begin(), out.end(),
                     [&](std::size_t a, std::size_t b) { return distance(a) > distance(b); });
    return out;
}

PlotFrame Scatter::frame(const QRectF& in, const Theme& theme) const {
    std::vector<double> xs, ys;
    for (const Point& point : points)
        if (drawable(point)) xs.push_back(point.x), ys.push_back(point.y);
    return plot_frame(in, axis_of(xs), axis_of(ys), (title.isEmpty() ? 0 : 22) + 24, 12, theme);
}

void Scatter::paint(QPainter& painter, const QRectF& in, const Theme& theme) const {
    draw_text(painter, QRectF(in.left(), in.top(), in.width(), 18), Qt::AlignLeft | Qt::AlignVCenter, title,
              theme.font(13, true), theme.text);
    const auto order = outstanding();
    if (!said_in_place.isEmpty() || order.empty()) {
        painter.setFont(theme.font(13));
        painter.setPen(theme.muted);
        painter.drawText(in.adjusted(12, 22, -12, 0), Qt::AlignCenter | Qt::TextWordWrap,
                         said_in_place.isEmpty() ? QStringLiteral("No head has both values.")
                                                 : said_in_place);
        return;
    }
    const PlotFrame laid = frame(in, theme);
    painter.save();
    painter.setRenderHint(QPainter::Antialiasing, true);
    laid.paint(painter, x_title, y_title, theme);
    QColor fill = theme.accent;
    fill.setAlphaF(0.55F);
    std::vector<QRectF> taken;
    for (const std::size_t i : order) {
        const QPointF at = laid.at(points[i].x, points[i].y);
        painter.setPen(QPen(theme.panel, 1));
        painter.setBrush(fill);
        painter.drawEllipse(at, radius, radius);
        taken.emplace_back(at.x() - radius, at.y() - radius, 2 * radius, 2 * radius);
    }
    // A name stands right of its point, left of it, above or beneath, where nothing else is; else nowhere.
    const QFont fixed = theme.fixed_font();
    const QFontMetricsF metrics(fixed);
    std::size_t named = 0;
    for (const std::size_t i : order) {
        if (named == most_names) break;
        const QPointF at = laid.at(points[i].x, points[i].y);
        const double width = metrics.horizontalAdvance(points[i].name()), height = metrics.height();
        for (const QPointF& corner : {QPointF(at.x() + radius + 3, at.y() - height / 2),
                                      QPointF(at.x() - radius - 3 - width, at.y() - height / 2),
                                      QPointF(at.x() - width / 2, at.y() - radius - 1 - height),
                                      QPointF(at.x() - width / 2, at.y() + radius + 1)}) {
            const QRectF box(corner, QSizeF(width, height));
            const bool free =
                laid.plot.adjusted(-2, -2, 12, 2).contains(box) &&
                std::none_of(taken.begin(), taken.end(), [&](const QRectF& r) { return r.intersects(box); });
            if (!free) continue;
            draw_text(painter, box, Qt::AlignCenter, points[i].name(), fixed, theme.text);
            taken.push_back(box);
            ++named;
            break;
        }
    }
    painter.restore();
}

void Scatter::paint_marks(QPainter& painter, const QRectF& in, const Theme& theme,
                          const std::optional<QPointF>& pointer) const {
    if (!said_in_place.isEmpty()) return;
    const PlotFrame laid = frame(in, theme);
    painter.save();
    painter.setBrush(Qt::NoBrush);
    for (const Point& point : points) {
        if (!drawable(point) || point.layer != selected_layer || point.head != selected_head) continue;
        painter.setPen(QPen(theme.query, 2));
        painter.drawEllipse(laid.at(point.x, point.y), radius + 3, radius + 3);
    }
    if (const int under = pointer ? point_at(*pointer, in, theme) : -1; under >= 0) {
        const Point& point = points[static_cast<std::size_t>(under)];
        painter.setPen(QPen(theme.text, 1));
        painter.drawEllipse(laid.at(point.x, point.y), radius + 2, radius + 2);
    }
    painter.restore();
}

int Scatter::point_at(const QPointF& at, const QRectF& in, const Theme& theme) const {
    if (!said_in_place.isEmpty()) return -1;
    const PlotFrame laid = frame(in, theme);
    int best = -1;
    double least = near_point;
    for (std::size_t i = 0; i < points.size(); ++i) {
        if (!drawable(points[i])) continue;
        const QPointF away = laid.at(points[i].x, points[i].y) - at;
        const double distance = std::hypot(away.x(), away.y());
        if (distance < least) least = distance, best = static_cast<int>(i);
    }
    return best;
}

QString Scatter::describe(const QPointF& at, const QRectF& in, const Theme& theme) const {
    const int under = point_at(at, in, theme);
    if (under < 0) return {};
    const Point& point = points[static_cast<std::size_t>(under)];
    return QStringLiteral("%1 · %2 %3 · %4 %5")
        .arg(point.name(), x_title, number(point.x), y_title, number(point.y));
}

Spot Scatter::spot_at(const QPointF& at, const QRectF& in, const Theme& theme) const {
    Spot out;
    if (const int under = point_at(at, in, theme); under >= 0) {
        out.layer = points[static_cast<std::size_t>(under)].layer;
        out.head = points[static_cast<std::size_t>(under)].head;
    }
    return out;
}

void Scatter::select(const Spot& here) {
    selected_layer = here.layer;
    selected_head = here.head;
}

QString Scatter::csv() const {
    QString out = QStringLiteral("layer,head,%1,%2\n").arg(csv_field(x_title), csv_field(y_title));
    for (const Point& point : points)
        out += QStringLiteral("%1,%2,%3,%4\n")
                   .arg(point.layer)
                   .arg(point.head)
                   .arg(csv_number(point.x), csv_number(point.y));
    return out;
}

} // namespace vitrine::figure
