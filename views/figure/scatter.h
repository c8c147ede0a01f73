#pragma once
// Heads as points between two metrics.
#include <vector>

#include "views/figure/plot_frame.h"

namespace vitrine::figure {

/// Points that stand out carry their names; every point says its own under the pointer and is selected by a
/// click.
class Scatter : public Picture {
public:
    struct Point {
        int layer = -1, head = -1;
        double x = 0, y = 0; ///< NaN: left out
        QString name() const { return QStringLiteral("L%1 H%2").arg(layer).arg(head); }
    };
    QString title, x_title, y_title;
    std::vector<Point> points;
    QString said_in_place;
    std::size_t most_names = 10;
    int selected_layer = -1, selected_head = -1;

    /// Indices of the points that stand out, the furthest first: by distance from the median point, each axis
    /// in units of its own spread.
    std::vector<std::size_t> outstanding() const;
    PlotFrame frame(const QRectF& in, const Theme& theme) const;
    /// Index of the point under the pointer, −1 if none is near.
    int point_at(const QPointF& at, const QRectF& in, const Theme& theme) const;

    QSizeF preferred_size(const Theme&) const override { return {460, 360}; }
    double narrowest_width(const Theme&) const override { return 260; }
    double least_growth() const override { return 0.6; }
    bool grows() const override { return true; }
    void paint(QPainter& painter, const QRectF& in, const Theme& theme) const override;
    void paint_marks(QPainter& painter, const QRectF& in, const Theme& theme,
                     const std::optional<QPointF>& pointer) const override;
    QString describe(const QPointF& at, const QRectF& in, const Theme& theme) const override;
    Spot spot_at(const QPointF& at, const QRectF& in, const Theme& theme) const override;
    void select(const Spot& here) override;
    QString csv() const override;

private:
    bool drawable(const Point& point) const;
};

} // namespace vitrine::figure
