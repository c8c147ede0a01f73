#pragma once
// A matrix with labelled axes: one head's attention, a map over layers and heads, any table of numbers.
#include <QStringList>

#include "views/figure/large_square.h"
#include "views/figure/matrix.h"
#include "views/figure/picture.h"

namespace vitrine::figure {

class Heatmap : public Picture {
public:
    Matrix values;
    std::shared_ptr<const LargeSquare> large; ///< if given, the numbers come from here; causal
    bool mean = false; ///< of cells that share a pixel the mean is shown, not the largest; only with `large`
    CellStyle style;   ///< its ground is taken from the theme
    QString title;
    QString row_title, col_title;       ///< "query", "key"
    QStringList row_labels, col_labels; ///< empty: indices are written
    QString meaning;                    ///< of the values, for the line under the pointer; may be empty
    QString said_in_place;              ///< if not empty, these words stand where the cells would
    /// A sign in the corner of a cell, and what it means.
    struct Tag {
        int row = 0, col = 0;
        QString sign, words;
        bool strong = false; ///< the cell is framed too
        QColor colour;       ///< invalid: as the numbers on the cells
    };
    std::vector<Tag> tags;
    QString legend;         ///< of the signs, beneath the title; may be empty
    bool square = false;    ///< cells are squares
    bool sinks_out = false; ///< marked columns were taken out and the rest renormalised
    std::optional<int> selected_row, selected_col;
    std::optional<QPoint> second; ///< column and row of the cell to compare with
    /// What is in sight, in cells (x column, y row); null: everything.
    QRectF view;

    struct Layout {
        QRectF title, cells, row_labels, col_labels, bar;
        double cell_width = 0, cell_height = 0;
        bool upright = false; ///< column labels are turned by 90°
    };
    Layout layout(const QRectF& in, const Theme& theme) const;
    /// Column and row at a point, if there is a cell.
    std::optional<QPoint> cell_at(const QPointF& at, const QRectF& in, const Theme& theme) const;

    QSizeF preferred_size(const Theme& theme) const override;
    void paint(QPainter& painter, const QRectF& in, const Theme& theme) const override;
    void paint_marks(QPainter& painter, const QRectF& in, const Theme& theme,
                     const std::optional<QPointF>& pointer) const override;
    QString describe(const QPointF& at, const QRectF& in, const Theme& theme) const override;
    QString describe_cell(int row, int col) const;
    Spot spot_at(const QPointF& at, const QRectF& in, const Theme& theme) const override;
    bool grows() const override { return true; }
    double narrowest_width(const Theme& theme) const override;
    double least_growth() const override { return 0.4; }
    void select(const Spot& here) override;
    bool zoom(double factor, const QPointF& at, const QRectF& in, const Theme& theme) override;
    bool pan(const QPointF& by, const QRectF& in, const Theme& theme) override;
    void fit() override { view = {}; }
    void for_file(bool on) override { for_file_ = on; }
    /// Numbers along each side of what one drawn cell stands for, at that many device pixels a pixel.
    int cell_shown(const Layout& layout, double ratio) const;
    QString csv() const override;

private:
    int rows() const { return large ? large->size() : values.rows; }
    int cols() const { return large ? large->size() : values.cols; }
    bool empty() const { return !large && values.empty(); }
    float value(int row, int col) const { return large ? large->at(row, col) : values.at(row, col); }
    QRectF seen() const { return view.isNull() ? QRectF(0, 0, cols(), rows()) : view; }
    QString row_label(int row) const;
    QString col_label(int col) const;
    bool has_marks() const;
    void paint_tags(QPainter& painter, const Layout& layout, const Theme& theme) const;
    QImage large_image(const Layout& layout, double ratio, const CellStyle& shown, QRect& numbers) const;
    void paint_cell_note(QPainter& painter, const Layout& layout, const Theme& theme) const;
    void paint_cells(QPainter& painter, const Layout& layout, const Theme& theme) const;
    void paint_labels(QPainter& painter, const Layout& layout, const Theme& theme) const;
    void move_inside(QRectF& wanted) const;

    /// Width of the widest label, measured once: a layout is asked for several times a frame.
    struct Measured {
        const QString* labels = nullptr;
        qsizetype count = 0;
        QFont font;
        double widest = 0;
    };
    double widest_of(const QStringList& labels, const QFont& font, Measured& known) const;

    bool for_file_ = false;
    mutable Measured row_widths_, col_widths_;
};

} // namespace vitrine::figure
