#include "core/backend/cpu/product.h"

#include <algorithm>

#include "core/backend/cpu/blas.h"
#include "core/backend/cpu/kernels.h"

namespace vitrine::backend::cpu {

namespace {

constexpr std::int64_t tiles_per_job = 48; // tiles of X that meet a slice while it is there
constexpr std::int64_t panels_per_job = 4; // at most: fewer where all threads would not have enough jobs

constexpr std::int64_t library_rows = 48; // fixed panels, so that a row's bits do not depend on the batch
constexpr std::int64_t library_columns = 384;

std::int64_t pieces(std::int64_t whole, std::int64_t piece) { return (whole + piece - 1) / piece; }

template <typename S>
struct PackedProduct {
    const Matrix<S>& matrix;
    const Part& part;
    const S* x; // in tiles
    Tiling tiling;
    const S* bias;
    const OutputRows<S>& y;

    /// Asks for what comes next while a tile is computed: the next tile's rows of Y, and this tile's share of
    /// the slice of W that follows. Past the end nothing happens.
    static void fetch_ahead(const Tile<S>& tile, std::int64_t index, std::int64_t tiles) {
        constexpr std::int64_t line = 64 / sizeof(S);
        const std::int64_t width = kernels<S>().panel_columns;
        for (int r = tile.rows; r < 2 * tile.rows; ++r)
            for (std::int64_t c = 0; c < width; c += line)
                __builtin_prefetch(tile.y + r * tile.y_stride + c, 1);
        const std::int64_t slice = tile.inner * width;
        const S* next = tile.w + slice;
        for (std::int64_t i = slice * index / tiles; i < slice * (index + 1) / tiles; i += line)
            __builtin_prefetch(next + i, 0, 2);
    }

    /// Tiles [tile_begin, tile_end) against one panel.
    void multiply_panel(std::int64_t panel, std::int64_t tile_begin, std::int64_t tile_end,
                        Buffer<S>& scratch) const {
        const Kernels<S>& kernel = kernels<S>();
        const std::int64_t left = panel * kernel.panel_columns;
        const std::int64_t begin = std::max(part.column_begin, left);
        const std::int64_t end = std::min(part.column_end, left + kernel.panel_columns);
        Tile<S> tile;
        tile.first = static_cast<int>(begin - left);
        tile.last = static_cast<int>(end - left);
        tile.y_stride = y.stride;
        // A slice of a panel and a tile of X stay in the first two caches.
        const std::int64_t inner_block = matrix.inner_block();
        for (std::int64_t k = 0; k < part.inner(); k += inner_block) {
            tile.inner = std::min(inner_block, part.inner() - k);
            tile.w = matrix.panel(panel, part.inner_begin + k, tile.inner, scratch);
            tile.bias = k == 0 && bias != nullptr ? bias + (begin - part.column_begin) : nullptr;
            tile.add = k > 0;
            for (std::int64_t t = tile_begin; t < tile_end; ++t) {
                tile.rows = tiling.size(t);
                tile.x = x + tiling.start(t) * part.inner() + k * tile.rows;
                tile.y = y.data + tiling.start(t) * y.stride + (begin - part.column_begin);
                fetch_ahead(tile, t - tile_begin, tile_end - tile_begin);
                kernel.multiply_tile(tile);
            }
        }
    }
};

template <typename S>
void multiply_packed(const Matrix<S>& matrix, const Part& part, const InputRows<S>& x, const S* bias,
                     const OutputRows<S>& y, Workspace<S>& workspace, ThreadPool& pool,
                     const CancelToken& cancel) {
    const std::int64_t width = kernels<S>().panel_columns;
    const Tiling tiling = Tiling::of<S>(x.rows);
    S* tiles = workspace.rows.at_least(static_cast<std::size_t>(x.rows * part.inner()));
    const std::int64_t pack_jobs = pieces(tiling.tiles, 4);
    pool.parallel_for(static_cast<std::size_t>(pack_jobs), [&](std::size_t job) {
        const std::int64_t begin = static_cast<std::int64_t>(job) * 4;
        for (std::int64_t t = begin; t < std::min(begin + 4, tiling.tiles); ++t)
            kernels<S>().pack_tile(x.data + tiling.start(t) * x.stride, x.stride, tiling.size(t),
                                   part.inner(), tiles + tiling.start(t) * part.inner());
    });

    const PackedProduct<S> product{matrix, part, tiles, tiling, bias, y};
    const std::int64_t first_panel = part.column_begin / width;
    const std::int64_t end_panel = pieces(part.column_end, width);
    const std::int64_t chunks = pieces(tiling.tiles, tiles_per_job);
    const std::int64_t group_size = std::clamp<std::int64_t>(
        (end_panel - first_panel) * chunks / (4 * pool.threads()), 1, panels_per_job);
    const std::int64_t groups = pieces(end_panel - first_panel, group_size);
    pool.parallel_for(static_cast<std::size_t>(groups * chunks), [&](std::size_t job) {
        if (cancel.cancelled()) return;
        thread_local Buffer<S> scratch;
        const std::int64_t chunk = static_cast<std::int64_t>(job) / groups;
        const std::int64_t group = static_cast<std::int64_t>(job) % groups;
        const std::int64_t panel = first_panel + group * group_size;
        for (std::int64_t p = panel; p < std::min(panel + group_size, end_panel); ++p)
            product.multiply_panel(p, chunk * tiling.tiles / chunks, (chunk + 1) * tiling.tiles / chunks,
                                   scratch);
    });
}

template <typename S>
void multiply_library(const Matrix<S>& matrix, const Part& part, const InputRows<S>& x, const S* bias,
                      const OutputRows<S>& y, Workspace<S>& workspace, ThreadPool& pool,
                      const CancelToken& cancel) {
    const std::int64_t panel_rows = x.rows == 1 && x.alone ? 1 : library_rows;
    const std::int64_t panels = pieces(x.rows, panel_rows);
    const std::int64_t blocks = pieces(part.columns(), library_columns);
    const std::int64_t ragged = x.rows % panel_rows;
    if (ragged != 0) {
        S* last = workspace.rows.at_least(static_cast<std::size_t>(panel_rows * part.inner()));
        for (std::int64_t r = 0; r < panel_rows; ++r) {
            S* row = last + r * part.inner();
            const S* from = x.data + ((panels - 1) * panel_rows + r) * x.stride;
            if (r < ragged)
                std::copy(from, from + part.inner(), row);
            else
                std::fill(row, row + part.inner(), S{0});
        }
    }
    pool.parallel_for(static_cast<std::size_t>(panels * blocks), [&](std::size_t job) {
        if (cancel.cancelled()) return;
        thread_local Buffer<S> weights;
        thread_local Buffer<S> results;
        const std::int64_t panel = static_cast<std::int64_t>(job) % panels;
        const std::int64_t left = static_cast<std::int64_t>(job) / panels * library_columns;
        const std::int64_t columns = std::min(library_columns, part.columns() - left);
        const bool padded = panel == panels - 1 && ragged != 0;
        const auto block = matrix.block(
            {part.inner_begin, part.inner_end, part.column_begin + left, part.column_begin + left + columns},
            weights);
        S* target = y.data + panel * panel_rows * y.stride + left;
        S* result = padded ? results.at_least(static_cast<std::size_t>(panel_rows * columns)) : target;
        const std::int64_t result_stride = padded ? columns : y.stride;
        const Gemm shape{static_cast<int>(panel_rows),
                         static_cast<int>(columns),
                         static_cast<int>(part.inner()),
                         static_cast<int>(padded ? part.inner() : x.stride),
                         static_cast<int>(block.stride),
                         static_cast<int>(result_stride),
                         block.transposed};
        library_gemm(matrix.routine(), shape,
                     padded ? workspace.rows.data() : x.data + panel * panel_rows * x.stride, block.data,
                     result);
        const std::int64_t rows = padded ? ragged : panel_rows;
        for (std::int64_t r = 0; r < rows; ++r)
            for (std::int64_t c = 0; c < columns; ++c)
                target[r * y.stride + c] =
                    result[r * result_stride + c] + (bias == nullptr ? S{0} : bias[left + c]);
    });
}

} // namespace

template <typename S>
Tiling Tiling::of(std::int64_t rows) {
    return {rows, pieces(rows, kernels<S>().tile_rows)};
}

template <typename S>
void multiply(const Matrix<S>& matrix, const Part& part, const InputRows<S>& x, const S* bias,
              const OutputRows<S>& y, Workspace<S>& workspace, ThreadPool& pool, const CancelToken& cancel) {
    if (x.rows == 0 || part.columns() == 0) return;
    if (matrix.routine() == Routine::packed)
        multiply_packed(matrix, part, x, bias, y, workspace, pool, cancel);
    else
        multiply_library(matrix, part, x, bias, y, workspace, pool, cancel);
}

template Tiling Tiling::of<float>(std::int64_t);
template Tiling Tiling::of<double>(std::int64_t);
template void multiply(const Matrix<float>&, const Part&, const InputRows<float>&, const float*,
                       const OutputRows<float>&, Workspace<float>&, ThreadPool&, const CancelToken&);
template void multiply(const Matrix<double>&, const Part&, const InputRows<double>&, const double*,
                       const OutputRows<double>&, Workspace<double>&, ThreadPool&, const CancelToken&);

} // namespace vitrine::backend::cpu
