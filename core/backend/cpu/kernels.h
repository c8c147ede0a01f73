#pragma once
// Inner loops, compiled once for each vector width of the processor family and chosen when the program
// starts.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "core/base/dtype.h"

namespace vitrine::backend::cpu {

/// A product Y[rows, columns] = X[rows, inner] · W of row-major arrays, for calls into one routine.
/// W is [inner, columns] with rows `w_stride` apart, or, when transposed, [columns, inner].
struct Gemm {
    int rows = 0;
    int columns = 0;
    int inner = 0;
    int x_stride = 0;
    int w_stride = 0;
    int y_stride = 0;
    bool w_transposed = false;
};

/// One tile of a packed product: `rows` rows of X against one panel of W, over `inner` steps.
/// x is [inner][rows], w is [inner][panel_columns]; columns first … last of the panel are written to y.
template <typename S>
struct Tile {
    int rows = 0;
    int first = 0;
    int last = 0;
    std::int64_t inner = 0;
    const S* x = nullptr;
    const S* w = nullptr;
    S* y = nullptr; ///< element (0, first)
    std::int64_t y_stride = 0;
    const S* bias = nullptr; ///< what the sums of columns first … last start from; null for zero
    bool add = false;        ///< the sums start from y instead
};

/// The inner loops for one scalar type and one vector width.
template <typename S>
struct Kernels {
    int tile_rows = 0;     ///< the most rows a tile may have
    int panel_columns = 0; ///< columns in one packed panel

    /// out[k][r] = x[r · stride + k] for `rows` rows of `inner` elements.
    void (*pack_tile)(const S* x, std::int64_t stride, int rows, std::int64_t inner, S* out);
    void (*multiply_tile)(const Tile<S>& tile);
    void (*gemm)(const Gemm& shape, const S* x, const S* w, S* y); ///< Eigen's product

    /// Widens (or narrows) elements of type f16, bf16, f32 or f64.
    void (*widen)(DType from, const std::byte* in, std::int64_t count, S* out);
};

/// "avx512", "avx2" or "baseline": the widest set this processor can run.
std::string_view vector_width();

/// The kernels of that width. Instantiated for float and double.
template <typename S>
const Kernels<S>& kernels();

} // namespace vitrine::backend::cpu
