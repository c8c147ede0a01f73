#pragma once
#include <QRect>

#include "views/figure/matrix.h"

namespace vitrine::figure {

/// A causal square of more numbers than are kept, read at the resolution that pixels need.
class LargeSquare {
public:
    virtual ~LargeSquare() = default;

    /// Rows, and columns.
    virtual int size() const = 0;
    /// One number, exact; NaN where it is left out.
    virtual float at(int row, int col) const = 0;
    /// Cells of `cell` × `cell` numbers (a power of two), `part` counted in such cells: the largest number of
    /// each or the mean; NaN where there is none. What is not known yet is shown as coarser cells know it and
    /// asked for, or with `wait` computed now.
    virtual Matrix read(int cell, const QRect& part, bool mean, bool wait) const = 0;

protected:
    LargeSquare() = default;
    LargeSquare(const LargeSquare&) = default;
    LargeSquare& operator=(const LargeSquare&) = default;
};

} // namespace vitrine::figure
