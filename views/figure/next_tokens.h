#pragma once
// What the model predicts next, and how sure it is.
#include "views/figure/picture.h"

namespace vitrine::figure {

class NextTokens : public Picture {
public:
    struct Row {
        Token token;
        double prob = 0;
        double logit = 0;
        double other = 0; ///< the probability in the run compared with; used if `compared`
    };
    QString after; ///< the token at the position, as shown
    int position = -1;
    double entropy = 0;    ///< nats
    std::vector<Row> rows; ///< most likely first
    bool compared = false; ///< a column shows prob − other
    QString said_in_place;

    QSizeF preferred_size(const Theme& theme) const override;
    void paint(QPainter& painter, const QRectF& in, const Theme& theme) const override;
    void paint_marks(QPainter& painter, const QRectF& in, const Theme& theme,
                     const std::optional<QPointF>& pointer) const override;
    QString describe(const QPointF& at, const QRectF& in, const Theme& theme) const override;
    QString csv() const override;
    /// Index of the row at a point, −1 if there is none.
    int row_at(const QPointF& at, const QRectF& in) const;
};

} // namespace vitrine::figure
