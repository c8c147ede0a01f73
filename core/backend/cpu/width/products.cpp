// The product of one register tile. Every element of Y is one chain of multiply-adds over the inner axis, in
// order, so its bits depend neither on the number of rows nor on the row's place.
#include "core/backend/cpu/width/loops.h"

#include "core/backend/cpu/width/vectors.h"

namespace vitrine::backend::cpu::VITRINE_WIDTH {

template <typename S>
int panel_columns() {
    return 2 * VectorOf<S>::lanes;
}

namespace {

/// Rows is a constant, so that all sums stay in registers.
template <typename S, int Rows>
void multiply_rows(const Tile<S>& tile, S* y, std::int64_t y_stride, bool add) {
    constexpr int lanes = VectorOf<S>::lanes;
    Vector<S> left[Rows];
    Vector<S> right[Rows];
    for (int r = 0; r < Rows; ++r) {
        left[r] = add ? load(y + r * y_stride) : Vector<S>{};
        right[r] = add ? load(y + r * y_stride + lanes) : Vector<S>{};
    }
    const S* x = tile.x;
    const S* w = tile.w;
    for (std::int64_t k = 0; k < tile.inner; ++k, x += Rows, w += 2 * lanes) {
        Vector<S> w_left = load(w);
        Vector<S> w_right = load(w + lanes);
        keep_in_register(w_left);
        keep_in_register(w_right);
#pragma GCC unroll 16
        for (int r = 0; r < Rows; ++r) {
            left[r] += x[r] * w_left;
            right[r] += x[r] * w_right;
        }
    }
    for (int r = 0; r < Rows; ++r) {
        store(y + r * y_stride, left[r]);
        store(y + r * y_stride + lanes, right[r]);
    }
}

template <typename S>
void multiply_any(const Tile<S>& tile, S* y, std::int64_t y_stride, bool add) {
    switch (tile.rows) {
    case 1:
        return multiply_rows<S, 1>(tile, y, y_stride, add);
    case 2:
        return multiply_rows<S, 2>(tile, y, y_stride, add);
    case 3:
        return multiply_rows<S, 3>(tile, y, y_stride, add);
    case 4:
        return multiply_rows<S, 4>(tile, y, y_stride, add);
    case 5:
        return multiply_rows<S, 5>(tile, y, y_stride, add);
    case 6:
        return multiply_rows<S, 6>(tile, y, y_stride, add);
    default:
        break;
    }
    if constexpr (register_tile_rows > 6) {
        switch (tile.rows) {
        case 7:
            return multiply_rows<S, 7>(tile, y, y_stride, add);
        case 8:
            return multiply_rows<S, 8>(tile, y, y_stride, add);
        case 9:
            return multiply_rows<S, 9>(tile, y, y_stride, add);
        case 10:
            return multiply_rows<S, 10>(tile, y, y_stride, add);
        case 11:
            return multiply_rows<S, 11>(tile, y, y_stride, add);
        default:
            return multiply_rows<S, 12>(tile, y, y_stride, add);
        }
    }
}

} // namespace

template <typename S>
void multiply_tile(const Tile<S>& tile) {
    constexpr int width = 2 * VectorOf<S>::lanes;
    const int columns = tile.last - tile.first;
    if (columns == width && tile.bias == nullptr) {
        return multiply_any(tile, tile.y, tile.y_stride, tile.add);
    }
    // A bias, or only some of the panel's columns: the sums start and end in a place of their own.
    S sums[register_tile_rows * width] = {};
    if (tile.add || tile.bias != nullptr) {
        for (int r = 0; r < tile.rows; ++r) {
            const S* start = tile.add ? tile.y + r * tile.y_stride : tile.bias;
            for (int c = 0; c < columns; ++c)
                sums[r * width + tile.first + c] = start[c];
        }
    }
    multiply_any(tile, sums, width, true);
    for (int r = 0; r < tile.rows; ++r)
        for (int c = 0; c < columns; ++c)
            tile.y[r * tile.y_stride + c] = sums[r * width + tile.first + c];
}

namespace {

template <typename S, int Vectors>
void multiply_vectors(int rows, std::int64_t inner, const S* x, const S* column, S* y) {
    constexpr int lanes = VectorOf<S>::lanes;
    Vector<S> sums[Vectors] = {};
    for (std::int64_t k = 0; k < inner; ++k, x += rows)
        for (int v = 0; v < Vectors; ++v)
            sums[v] += column[k] * load(x + v * lanes);
    for (int r = 0; r < rows; ++r)
        y[r] = sums[r / lanes][r % lanes];
}

} // namespace

template <typename S>
void multiply_column(int rows, std::int64_t inner, const S* x, const S* column, S* y) {
    constexpr int lanes = VectorOf<S>::lanes;
    switch ((rows + lanes - 1) / lanes) {
    case 1:
        return multiply_vectors<S, 1>(rows, inner, x, column, y);
    case 2:
        return multiply_vectors<S, 2>(rows, inner, x, column, y);
    default:
        return multiply_vectors<S, 3>(rows, inner, x, column, y);
    }
}

template void multiply_column(int, std::int64_t, const float*, const float*, float*);
template void multiply_column(int, std::int64_t, const double*, const double*, double*);
template int panel_columns<float>();
template int panel_columns<double>();
template void multiply_tile(const Tile<float>&);
template void multiply_tile(const Tile<double>&);

} // namespace vitrine::backend::cpu::VITRINE_WIDTH
