#pragma once
// Many heads over steps: the strongest coloured and named, the others grey.
#include <vector>

#include "views/figure/plot_frame.h"

namespace vitrine::figure {

class Curves : public Picture {
public:
    struct Line {
        QString name;
        std::vector<double> values; ///< one for each x; NaN leaves a gap, or is passed over
        int layer = -1, head = -1;  ///< of a head's line
    };
    QString title, x_title, unit; ///< `unit` stands above the y axis
    std::vector<double> x;
    QStringList x_names; ///< what the pointer says in place of x; empty: the number
    bool log_x = false, log_y = false;
    bool over_gaps = false; ///< lines go on to the next measured value, which has a dot
    std::vector<Line> lines;
    QString meaning; ///< of the values, for the line under the pointer; may be empty
    QString said_in_place;
    bool lead = false; ///< the main picture of several
    int selected_layer = -1, selected_head = -1;

    static constexpr std::size_t most_hues = 6;
    /// Indices of the lines with a colour and a name: up to six, those that reach highest.
    std::vector<std::size_t> strongest() const;
    PlotFrame frame(const QRectF& in, const Theme& theme) const;
    /// Line and x under a pointer; −1 where no line is near.
    std::pair<int, int> at(const QPointF& point, const QRectF& in, const Theme& theme) const;

    QSizeF preferred_size(const Theme&) const override { return {580, 280}; }
    double narrowest_width(const Theme&) const override { return 280; }
    double least_growth() const override { return 0.5; }
    bool grows() const override { return true; }
    bool leads() const override { return lead; }
    void paint(QPainter& painter, const QRectF& in, const Theme& theme) const override;
    void paint_marks(QPainter& painter, const QRectF& in, const Theme& theme,
                     const std::optional<QPointF>& pointer) const override;
    QString describe(const QPointF& at, const QRectF& in, const Theme& theme) const override;
    Spot spot_at(const QPointF& at, const QRectF& in, const Theme& theme) const override;
    void select(const Spot& here) override;
    QString csv() const override;

private:
    void draw(QPainter& painter, const PlotFrame& laid, const Line& line, const QPen& pen) const;
};

} // namespace vitrine::figure
