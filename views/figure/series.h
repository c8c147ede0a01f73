#pragma once
// Lines over a common axis, or bars of a histogram.
#include <QStringList>

#include "views/figure/picture.h"

namespace vitrine::figure {

class Series : public Picture {
public:
    struct Line {
        QString name;
        std::vector<double> values; ///< NaN leaves a gap
    };
    QString title, x_title, y_title;
    QStringList x_labels; ///< empty: indices
    std::vector<Line> lines;
    bool bars = false;
    bool legend = true; ///< names of the lines, where there are several
    bool axis = true;   ///< labels of the x axis; without where another picture beneath has them
    QString meaning;    ///< of the values, for the line under the pointer; may be empty
    QString said_in_place;
    int selected = -1; ///< index on the x axis

    struct Layout {
        QRectF plot;
        double low = 0, high = 1; ///< of the y axis
        int ticks = 5;            ///< about so many on it
    };
    Layout layout(const QRectF& in, const Theme& theme) const;

    QSizeF preferred_size(const Theme&) const override { return {580, 230}; }
    double narrowest_width(const Theme&) const override { return length() <= 12 ? 185 : 250; }
    double least_growth() const override { return 0.6; }
    void paint(QPainter& painter, const QRectF& in, const Theme& theme) const override;
    void paint_marks(QPainter& painter, const QRectF& in, const Theme& theme,
                     const std::optional<QPointF>& pointer) const override;
    QString describe(const QPointF& at, const QRectF& in, const Theme& theme) const override;
    Spot spot_at(const QPointF& at, const QRectF& in, const Theme& theme) const override;
    bool grows() const override { return true; }
    void select(const Spot& here) override;
    QString csv() const override;

private:
    std::size_t length() const;
    double x_of(const Layout& laid, std::size_t index) const;
    int index_at(const QPointF& at, const Layout& laid) const;
    QString label(std::size_t index) const;
};

/// Six hues for categories, told apart with colour blindness too (Okabe & Ito, darkened for light grounds).
QColor category_colour(int index, const Theme& theme);

} // namespace vitrine::figure
