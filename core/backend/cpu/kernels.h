#pragma once
// Inner loops, compiled once for each vector width of the processor family and chosen when the program
// starts.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "core/base/dtype.h"
#include "core/model/spec.h"

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

/// What a normalisation subtracts (0 for rms) and divides by.
template <typename S>
struct Moments {
    S mean = 0;
    S scale = 0;
};

/// Sums over a row of logits x with d = x − max and e = exp(d): Σe, Σed, Σed².
struct LogitSums {
    double max = 0;
    double weight = 0;
    double first = 0;
    double second = 0;
};

/// What a softmax down columns goes by, an array [panel_columns] each: the largest score m, 1 / Σ eˣ⁻ᵐ (0 for
/// a column without keys), Σ eˣ⁻ᵐ (x − m).
template <typename S>
struct ColumnSums {
    S* highest = nullptr;
    S* inverse = nullptr;
    S* moment = nullptr;
};

/// The inner loops for one scalar type and one vector width.
template <typename S>
struct Kernels {
    int tile_rows = 0;     ///< the most rows a tile may have
    int panel_columns = 0; ///< columns in one packed panel

    /// out[k][r] = x[r · stride + k] for `rows` rows of `inner` elements.
    void (*pack_tile)(const S* x, std::int64_t stride, int rows, std::int64_t inner, S* out);
    void (*multiply_tile)(const Tile<S>& tile);
    /// y[r] = Σ_k x[k][r] · column[k], with the bits that multiply_tile gives. Reads up to a register past x.
    void (*multiply_column)(int rows, std::int64_t inner, const S* x, const S* column, S* y);
    void (*gemm)(const Gemm& shape, const S* x, const S* w, S* y); ///< Eigen's product

    /// Widens (or narrows) elements of type f16, bf16, f32 or f64.
    void (*widen)(DType from, const std::byte* in, std::int64_t count, S* out);

    /// Widens elements [first, first + count) of a run of quantised blocks, with the bits of dequantize().
    void (*widen_blocks)(DType from, const std::byte* run, std::int64_t first, std::int64_t count, S* out);

    /// to[c][r] = from[r][c]
    void (*transpose)(const S* from, std::int64_t from_stride, std::int64_t rows, std::int64_t columns, S* to,
                      std::int64_t to_stride);
    void (*scale)(S factor, std::int64_t count, S* x);
    void (*clamp)(S bound, std::int64_t count, S* x); ///< within −bound … bound
    void (*cap)(S cap, std::int64_t count, S* x);     ///< cap · tanh(x / cap)
    void (*add)(const S* a, const S* b, std::int64_t count, S* out);
    /// In place, down each column of a block [keys][panel_columns]; a column of −∞ becomes zeros.
    void (*softmax_columns)(S* block, std::int64_t keys);
    /// The same, with the same bits, and what each column was found to have.
    void (*softmax_measured)(S* block, std::int64_t keys, const ColumnSums<S>& found);
    /// Some keys of columns whose sums are known, [panel_columns] each: the bits that the whole softmax
    /// gives.
    void (*softmax_part)(S* block, std::int64_t keys, const S* highest, const S* inverse);
    /// Over the keys of a block: largest[column] = max(largest, x), sum[column] += x, by_key[key] = Σ x.
    void (*fold_keys)(const S* block, std::int64_t keys, S* largest, S* sum, S* by_key);
    /// The same for one column stored contiguously, with the same bits.
    void (*softmax_single)(S* x, std::int64_t keys);

    Moments<S> (*moments)(const model::NormSpec& spec, const S* x, std::int64_t width);
    /// out = (x − mean) / scale
    void (*normalize)(S mean, S scale, const S* x, std::int64_t width, S* out);
    /// out = x · weight + bias, either may be null
    void (*affine)(const S* x, const S* weight, const S* bias, std::int64_t width, S* out);

    /// out = act(x) · factor, factor may be null
    void (*activate)(model::Activation kind, const S* x, const S* factor, std::int64_t count, S* out);

    LogitSums (*logit_sums)(const S* logits, std::int64_t count);
};

/// "avx512", "avx2" or "baseline": the widest set this processor can run.
std::string_view vector_width();

/// The kernels of that width. Instantiated for float and double.
template <typename S>
const Kernels<S>& kernels();

} // namespace vitrine::backend::cpu
