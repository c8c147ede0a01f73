#pragma once
// Pictures one under another; small ones side by side.
#include "views/figure/picture.h"

namespace vitrine::figure {

class Column : public Picture {
public:
    std::vector<PicturePtr> parts;
    double magnified = 1;     ///< how much larger than preferred the parts that grow are
    bool exact = false;       ///< all parts in what fill() was given, however small, in equal shares
    double lead_height = 380; ///< of a first part that leads: it stands left, the others right of it

    /// Chooses `magnified` so that everything fits into a room without leaving it half empty.
    void fill(const QSizeF& room, const Theme& theme);

    QSizeF preferred_size(const Theme& theme) const override;
    void paint(QPainter& painter, const QRectF& in, const Theme& theme) const override;
    void paint_marks(QPainter& painter, const QRectF& in, const Theme& theme,
                     const std::optional<QPointF>& pointer) const override;
    QString describe(const QPointF& at, const QRectF& in, const Theme& theme) const override;
    Spot spot_at(const QPointF& at, const QRectF& in, const Theme& theme) const override;
    void select(const Spot& here) override;
    bool follows_selection() const override;
    bool press(const QPointF& at, const QRectF& in, const Theme& theme) override;
    bool zoom(double factor, const QPointF& at, const QRectF& in, const Theme& theme) override;
    bool pan(const QPointF& by, const QRectF& in, const Theme& theme) override;
    void fit() override;
    /// The parts' numbers, each under a line with its number.
    QString csv() const override;
    /// Where the parts lie for a width.
    std::vector<QRectF> places(const QPointF& origin, double width, const Theme& theme) const;

private:
    double place_rows(std::size_t first, std::size_t last, const QRectF& room, const Theme& theme,
                      std::vector<QRectF>& out) const;
    std::size_t words() const; ///< index of the numbers and words that stand last
    bool has_lead(double width, const Theme& theme) const;
    QSizeF room_;            ///< of fill(), where that is exact
    std::size_t zoomed_ = 0; ///< the part that was zoomed last, which dragging moves
};

} // namespace vitrine::figure
