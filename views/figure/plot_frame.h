#pragma once
// Two axes of numbers, and the place of a point between them.
#include <vector>

#include "views/figure/picture.h"

namespace vitrine::figure {

/// From `low` to `high`, evenly or by powers of ten. By powers of ten a zero has its place too if one is
/// among the values: then places are those of 1 + value.
struct NumberAxis {
    double low = 0, high = 1;
    bool log = false;
    bool has_zero = false;

    /// In [0, 1] for what lies on the axis.
    double position(double value) const;
    /// Round values to write beside it, about `count`.
    std::vector<double> ticks(int count) const;
};

/// An axis that shows all finite values with a little air; one that starts near zero starts at zero.
NumberAxis axis_of(const std::vector<double>& values);
/// By powers of ten, for values ≥ 0; without air.
NumberAxis log_axis_of(const std::vector<double>& values);

struct PlotFrame {
    QRectF plot;
    NumberAxis x, y;

    QPointF at(double x_value, double y_value) const {
        return {plot.left() + plot.width() * x.position(x_value),
                plot.bottom() - plot.height() * y.position(y_value)};
    }
    /// Grid lines, ticks and the titles of the axes: x below at the right, y above at the left.
    void paint(QPainter& painter, const QString& x_title, const QString& y_title, const Theme& theme) const;
};

/// The frame inside `in`; `above` pixels stay free over it (its y title needs 22 of them), `beside` right of
/// it.
PlotFrame plot_frame(const QRectF& in, const NumberAxis& x, const NumberAxis& y, double above, double beside,
                     const Theme& theme);

} // namespace vitrine::figure
