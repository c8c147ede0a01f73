#include "views/figure/plot_frame.h"

#include <QFontMetricsF>
#include <algorithm>
#include <cmath>

namespace vitrine::figure {

namespace {

double widest_tick(const NumberAxis& axis, const QFontMetricsF& metrics) {
    double widest = 0;
    for (const double value : axis.ticks(5))
        widest = std::max(widest, metrics.horizontalAdvance(tick(value)));
    return widest;
}

} // namespace

double NumberAxis::position(double value) const {
    // What a logarithm has no place for lies on the floor.
    const auto place = [this](double v) { return log ? std::log10(has_zero ? 1 + v : std::max(v, low)) : v; };
    return (place(value) - place(low)) / (place(high) - place(low));
}

std::vector<double> NumberAxis::ticks(int count) const {
    if (!log) return round_ticks(low, high, count);
    std::vector<double> out;
    if (has_zero) out.push_back(0);
    const bool few = high < 100 * std::max(low, 1e-300); // under two decades: 2 and 5 as well
    for (double power = std::pow(10, std::floor(std::log10(std::max(low, 1e-12)))); power <= high * 1.0001;
         power *= 10)
        for (const double factor : {1.0, 2.0, 5.0})
            if ((few || factor == 1.0) && power * factor >= low * 0.9999 && power * factor <= high * 1.0001 &&
                power * factor > 0)
                out.push_back(power * factor);
    return out;
}

NumberAxis axis_of(const std::vector<double>& values) {
    double low = INFINITY, high = -INFINITY;
    for (const double value : values)
        if (std::isfinite(value)) low = std::min(low, value), high = std::max(high, value);
    if (!(low <= high)) return {};
    if (low >= 0 && low < 0.5 * high) low = 0;
    if (low == high) high = low + (low == 0 ? 1 : std::abs(low) * 0.1);
    const double air = 0.04 * (high - low);
    return {low == 0 ? 0 : low - air, high + air, false, false};
}

NumberAxis log_axis_of(const std::vector<double>& values) {
    double low = INFINITY, high = -INFINITY;
    bool zero = false;
    for (const double value : values) {
        zero = zero || value == 0;
        if (value > 0) low = std::min(low, value), high = std::max(high, value);
    }
    if (!(low <= high)) return {0, 1, false, false};
    if (low == high) high = low * 10;
    return {zero ? 0 : low, high, true, zero};
}

void PlotFrame::paint(QPainter& painter, const QString& x_title, const QString& y_title,
                      const Theme& theme) const {
    const QFont fixed = theme.fixed_font();
    const QFontMetricsF metrics(fixed);
    int levels = std::clamp(static_cast<int>(plot.height() / 26), 2, 5);
    while (levels < 5 && y.ticks(levels).size() < 2)
        ++levels; // one number alone is no scale
    for (const double value : y.ticks(levels)) {
        const double level = at(x.low, value).y();
        painter.setPen(QPen(theme.line, 1));
        painter.drawLine(QPointF(plot.left(), level), QPointF(plot.right(), level));
        draw_text(painter, QRectF(plot.left() - 108, level - 9, 100, 18), Qt::AlignRight | Qt::AlignVCenter,
                  tick(value), fixed, theme.muted);
    }
    const int room = std::max(2, static_cast<int>(plot.width() / (widest_tick(x, metrics) + 26)));
    double free_from = -INFINITY;
    for (const double value : x.ticks(std::min(8, room))) {
        const double middle = at(value, y.low).x();
        painter.setPen(QPen(theme.line, 1));
        painter.drawLine(QPointF(middle, plot.top()), QPointF(middle, plot.bottom()));
        const double width = metrics.horizontalAdvance(tick(value));
        if (middle - width / 2 < free_from) continue;
        free_from = middle + width / 2 + 8;
        draw_text(painter, QRectF(middle - 60, plot.bottom() + 3, 120, 18), Qt::AlignCenter, tick(value),
                  fixed, theme.muted);
    }
    draw_text(painter, QRectF(plot.left(), plot.bottom() + 20, plot.width(), 18),
              Qt::AlignRight | Qt::AlignVCenter, x_title, theme.font(), theme.muted);
    draw_text(painter, QRectF(plot.left() - widest_tick(y, metrics) - 8, plot.top() - 22, plot.width(), 18),
              Qt::AlignLeft | Qt::AlignVCenter, y_title, theme.font(), theme.muted);
}

PlotFrame plot_frame(const QRectF& in, const NumberAxis& x, const NumberAxis& y, double above, double beside,
                     const Theme& theme) {
    const double left = widest_tick(y, QFontMetricsF(theme.fixed_font())) + 10;
    constexpr double beneath = 40; // ticks and the title
    return {QRectF(in.left() + left, in.top() + above, std::max(20.0, in.width() - left - beside),
                   std::max(20.0, in.height() - above - beneath)),
            x, y};
}

} // namespace vitrine::figure
