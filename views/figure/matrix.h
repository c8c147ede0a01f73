#pragma once
// A matrix of numbers and its image: one cell a number, or the largest of the cells under a pixel.
#include <QImage>
#include <QRectF>
#include <vector>

#include "core/base/tensor.h"
#include "views/figure/colour.h"

namespace vitrine::figure {

/// A rows × cols part of a shared tensor, row-major and contiguous.
struct Matrix {
    SharedTensor tensor;
    std::int64_t offset = 0;
    int rows = 0;
    int cols = 0;

    float at(int row, int col) const {
        return tensor->data[static_cast<std::size_t>(offset + std::int64_t{row} * cols + col)];
    }
    bool empty() const { return !tensor || rows == 0 || cols == 0; }
};

/// A matrix of its own numbers.
Matrix make_matrix(int rows, int cols, std::vector<float> values);

/// How cells become colours.
struct CellStyle {
    ColourScale scale;
    bool causal = false;      ///< cells above the diagonal do not exist
    std::vector<bool> marked; ///< columns in the sink colour; empty: none
    double opacity = 1;       ///< over `ground`
    QColor ground = Qt::white;
};

/// Colour of a value, in a column of sinks or not; invalid for NaN.
QColor value_colour(float value, bool marked, const CellStyle& style);
/// Colour of one cell; invalid where nothing is drawn.
QColor cell_colour(const Matrix& matrix, const CellStyle& style, int row, int col);

/// The cells of `view` (in cells: x is the column, y the row) as an image of at most `limit` pixels: one
/// pixel a cell, or where cells are smaller than pixels the largest value of those under each. Empty cells
/// are transparent.
QImage cells_image(const Matrix& matrix, const CellStyle& style, const QRect& view, const QSize& limit);

} // namespace vitrine::figure
