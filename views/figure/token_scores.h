#pragma once
// A text with one score a token, in the colours of a scale.
#include "views/figure/picture.h"

namespace vitrine::figure {

class TokenScores : public Picture {
public:
    QString title;
    QStringList tokens;
    std::vector<double> values;
    ColourScale scale;

    QSizeF preferred_size(const Theme& theme) const override;
    void paint(QPainter& painter, const QRectF& in, const Theme& theme) const override;
    QString describe(const QPointF& at, const QRectF& in, const Theme& theme) const override;
    Spot spot_at(const QPointF& at, const QRectF& in, const Theme& theme) const override;
    QString csv() const override;

private:
    /// Boxes of the tokens, in lines of `width`.
    std::vector<QRectF> boxes(const QPointF& origin, double width, const Theme& theme) const;
    double text_width(const QRectF& in, const Theme& theme) const;
};

} // namespace vitrine::figure
