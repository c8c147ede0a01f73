#pragma once
// Pictures one under another; small ones side by side.
#include "views/figure/picture.h"

namespace vitrine::figure {

class Column : public Picture {
public:
    std::vector<PicturePtr> parts;

    QSizeF preferred_size(const Theme& theme) const override;
    void paint(QPainter& painter, const QRectF& in, const Theme& theme) const override;
    void paint_marks(QPainter& painter, const QRectF& in, const Theme& theme,
                     const std::optional<QPointF>& pointer) const override;
    QString describe(const QPointF& at, const QRectF& in, const Theme& theme) const override;
    /// The parts' numbers, each under a line with its number.
    QString csv() const override;
    /// Where the parts lie for a width: rows are filled from the left as long as parts fit.
    std::vector<QRectF> places(const QPointF& origin, double width, const Theme& theme) const;
};

} // namespace vitrine::figure
