#pragma once
// A table of words and numbers, and text by itself.
#include <QStringList>

#include "views/figure/picture.h"

namespace vitrine::figure {

class Table : public Picture {
public:
    QString title;
    QStringList columns;
    std::vector<bool> numeric; ///< per column: set in the fixed font, to the right
    QStringList meanings;      ///< of short column names, said under the pointer; empty: none
    std::vector<QStringList> rows;
    /// By row and column what numbers are sorted by (NaN comes last); empty: cells are sorted as text.
    std::vector<std::vector<double>> keys;
    std::vector<Spot> spots; ///< what each row is about; empty: nothing that could be selected
    Spot selected;

    /// Sorts by a column, the largest first or (words) the first in the alphabet; again: the other way
    /// round. A click on the column's name does it.
    void sort_by(int column);
    int sorted_by() const { return sorted_by_; }
    bool upwards() const { return upwards_; }

    QSizeF preferred_size(const Theme& theme) const override;
    void paint(QPainter& painter, const QRectF& in, const Theme& theme) const override;
    void paint_marks(QPainter& painter, const QRectF& in, const Theme& theme,
                     const std::optional<QPointF>& pointer) const override;
    QString describe(const QPointF& at, const QRectF& in, const Theme& theme) const override;
    Spot spot_at(const QPointF& at, const QRectF& in, const Theme& theme) const override;
    void select(const Spot& here) override { selected = here; }
    bool press(const QPointF& at, const QRectF& in, const Theme& theme) override;
    QString csv() const override;

private:
    std::vector<double> natural(const Theme& theme) const;
    double gap(const Theme& theme, double room) const;
    std::vector<double> widths(const Theme& theme, double room) const;
    QString head_of(int column) const; ///< its name, with an arrow if the rows are sorted by it
    /// Whose name lies at a point; −1: none's.
    int column_at(const QPointF& at, const QRectF& in, const Theme& theme) const;
    int row_at(const QPointF& at, const QRectF& in) const; ///< −1: none
    int sorted_by_ = -1;
    bool upwards_ = false;
};

/// One number with its name, or a paragraph.
class Card : public Picture {
public:
    QString title;
    QString big;  ///< the number
    QString text; ///< words beneath, wrapped

    QSizeF preferred_size(const Theme& theme) const override;
    double narrowest_width(const Theme& theme) const override {
        const double preferred = preferred_size(theme).width();
        return text.isEmpty() ? preferred : std::min(preferred, 230.0);
    }
    double height_at(double width, const Theme& theme) const override;
    void paint(QPainter& painter, const QRectF& in, const Theme& theme) const override;
    QString csv() const override;
};

} // namespace vitrine::figure
