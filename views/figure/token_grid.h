#pragma once
// Tokens in cells: what a lens reads at every layer.
#include "views/figure/matrix.h"
#include "views/figure/picture.h"

namespace vitrine::figure {

/// Layer × rank of one position, or layer × position with the most likely token of each; the colour is the
/// probability.
class TokenGrid : public Picture {
public:
    struct Cell {
        QString token; ///< as pictures show it
        int id = 0;
        double prob = 0, logit = 0;
    };
    QString title;
    QStringList columns;        ///< labels
    QString col_title;          ///< "rank", or "position"
    std::vector<int> positions; ///< of each column
    int layers = 0;
    std::vector<Cell> cells; ///< [layers · columns]; an empty token: none
    ColourScale scale;       ///< of the probability
    int selected_layer = -1, selected_position = -1;
    std::vector<int> pinned; ///< ids of tokens that are marked wherever they stand

    /// Columns keep a width in which tokens can be read: as many as fit are seen, and dragging shows the
    /// others.
    bool windowed = false;

    /// The id of the token at a point, −1 where there is none.
    int token_at(const QPointF& at, const QRectF& in, const Theme& theme) const;

    QSizeF preferred_size(const Theme& theme) const override;
    double narrowest_width(const Theme& theme) const override;
    double least_growth() const override { return 0.65; }
    bool grows() const override { return true; }
    bool leads() const override { return true; }
    void paint(QPainter& painter, const QRectF& in, const Theme& theme) const override;
    void paint_marks(QPainter& painter, const QRectF& in, const Theme& theme,
                     const std::optional<QPointF>& pointer) const override;
    QString describe(const QPointF& at, const QRectF& in, const Theme& theme) const override;
    Spot spot_at(const QPointF& at, const QRectF& in, const Theme& theme) const override;
    void select(const Spot& here) override;
    bool pan(const QPointF& by, const QRectF& in, const Theme& theme) override;
    /// layer, position, rank, id, token, logit, probability.
    QString csv() const override;

private:
    struct Layout {
        QRectF cells, bar;
        double width = 0, height = 0; ///< of a cell
        int first = 0, shown = 0;     ///< columns
    };
    Layout layout(const QRectF& in, const Theme& theme) const;
    /// Column (x) and layer (y).
    std::optional<QPoint> cell_at(const QPointF& at, const QRectF& in, const Theme& theme) const;
    const Cell& cell(int layer, int column) const {
        return cells[static_cast<std::size_t>(layer) * static_cast<std::size_t>(columns.size()) +
                     static_cast<std::size_t>(column)];
    }
    /// Kept by layout(), so that what is seen does not jump as the selection moves within it.
    mutable int first_ = -1; ///< column that is seen first; −1: so that the last one is seen
    bool follow_ = true;
    double dragged_ = 0; ///< pixels that have not made a column yet
    bool by_position() const { return col_title == QLatin1String("position"); }
};

} // namespace vitrine::figure
