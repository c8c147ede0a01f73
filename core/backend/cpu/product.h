#pragma once
// Y = X · W + bias. In every routine a row's bits depend on that row and W alone, not on how many rows are
// computed with it or where it stands; only the libraries' routines differ for a row that is alone.
#include "core/backend/cpu/buffer.h"
#include "core/backend/cpu/matrix.h"
#include "core/base/cancel.h"

namespace vitrine::backend::cpu {

/// Row-major rows, `stride` elements apart.
template <typename S>
struct InputRows {
    const S* data = nullptr;
    std::int64_t rows = 0;
    std::int64_t stride = 0;
    bool alone = false; ///< a single row that needs no bits in common with others: decoding, or logits
};
template <typename S>
struct OutputRows {
    S* data = nullptr;
    std::int64_t stride = 0;
};

/// Memory that products use again and again.
template <typename S>
struct Workspace {
    Buffer<S> rows; ///< X in tiles, or the last panel of X filled up with zeros
};

/// y[rows, part.columns()] = x[rows, part.inner()] · W[part] + bias[part.columns()], bias may be null.
/// Stops early when cancelled, leaving y unfinished.
template <typename S>
void multiply(const Matrix<S>& matrix, const Part& part, const InputRows<S>& x, const S* bias,
              const OutputRows<S>& y, Workspace<S>& workspace, ThreadPool& pool, const CancelToken& cancel);

/// Cuts x[rows, inner] into tiles of at most kernels<S>().tile_rows rows, as equal as can be, each stored
/// [inner][rows of the tile]. out has rows · inner elements; tile t starts at row tile_start(t) · inner.
struct Tiling {
    std::int64_t rows = 0;
    std::int64_t tiles = 0;

    template <typename S>
    static Tiling of(std::int64_t rows);
    std::int64_t start(std::int64_t tile) const { return tile * rows / tiles; }
    int size(std::int64_t tile) const { return static_cast<int>(start(tile + 1) - start(tile)); }
};

} // namespace vitrine::backend::cpu
