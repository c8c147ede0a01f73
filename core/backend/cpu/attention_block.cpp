#include "core/backend/cpu/attention_block.h"

#include <limits>

namespace vitrine::backend::cpu {

template <typename S>
std::vector<QueryBlock> blocks_of(const run::Batch& batch, int heads, bool decoding) {
    const int columns = kernels<S>().panel_columns;
    std::vector<QueryBlock> blocks;
    for (int row = 0; row < batch.rows(); ++row) {
        const int queries = batch.queries(row);
        if (queries == 0) continue;
        for (int first = (queries - 1) / columns * columns; first >= 0; first -= columns)
            for (int head = 0; head < heads; ++head)
                blocks.push_back(
                    {row, head, first, std::min(columns, queries - first), decoding ? 1 : columns});
    }
    return blocks;
}

template <typename S>
KeyRange visible(const run::AttentionSpec& spec, const run::Batch& batch, const QueryBlock& block) {
    const std::int64_t first = batch.past[static_cast<std::size_t>(block.row)] + block.first;
    KeyRange range{0, first + block.count};
    if (spec.window > 0) {
        const std::int64_t rows = kernels<S>().tile_rows;
        range.begin = std::max<std::int64_t>(0, first - spec.window + 1) / rows * rows;
    }
    return range;
}

namespace {

template <typename S>
void hide(const run::AttentionSpec& spec, const run::Batch& batch, const QueryBlock& block, KeyRange range,
          S* scores) {
    const std::int64_t first = batch.past[static_cast<std::size_t>(block.row)] + block.first;
    const std::int64_t last = first + block.count - 1;
    const bool streams = spec.streams(block.head);
    for (std::int64_t j = range.begin; j < range.end; ++j) {
        const bool seen_by_all = j <= first && (spec.window == 0 || j > last - spec.window) &&
                                 (!streams || j < spec.sinks || j > last - spec.stream_window);
        if (seen_by_all) continue;
        for (int i = 0; i < block.columns; ++i) {
            const std::int64_t query = std::min(first + i, last);
            if (j > query || (spec.window > 0 && j <= query - spec.window) ||
                (streams && j >= spec.sinks && j + spec.stream_window <= query))
                scores[j * block.columns + i] = -std::numeric_limits<S>::infinity();
        }
    }
}

/// Products of the sinks outside the window with the queries that are made for them, in place.
template <typename S>
void score_sinks(const run::AttentionSpec& spec, const run::Batch& batch, const QueryBlock& block,
                 KeyRange range, const HeadTiles<S>& tiles, const S* q_sinks, std::int64_t stride,
                 S* scores) {
    const std::int64_t first = batch.past[static_cast<std::size_t>(block.row)] + block.first;
    const std::int64_t rows = kernels<S>().tile_rows;
    const int d_head = tiles.shape.d_head;
    for (std::int64_t j = range.begin; j < std::min<std::int64_t>(spec.sinks, range.end); ++j) {
        const S* key = tiles.keys + j / rows * rows * d_head + j % rows;
        for (int i = 0; i < block.count; ++i) {
            if (!spec.is_sink(first + i, j)) continue;
            S sum{0};
            for (int d = 0; d < d_head; ++d)
                sum += q_sinks[i * stride + d] * key[d * rows];
            scores[j * block.columns + i] = sum;
        }
    }
}

/// bias: [heads, keys]
template <typename S>
void add_bias(const Tensor& bias, const QueryBlock& block, KeyRange range, S* scores) {
    const float* line = bias.data.data() + block.head * bias.shape[1];
    for (std::int64_t j = range.begin; j < range.end; ++j)
        for (int i = 0; i < block.columns; ++i)
            scores[j * block.columns + i] += static_cast<S>(line[j]);
}

} // namespace

template <typename S>
S* block_scores(const run::AttentionSpec& spec, const run::Plan& plan, const run::Batch& batch,
                const QueryBlock& block, KeyRange range, const HeadTiles<S>& tiles, const S* q,
                const S* q_sinks, std::int64_t stride, BlockScratch<S>& scratch) {
    const Kernels<S>& kernel = kernels<S>();
    const int d_head = tiles.shape.d_head;
    const std::int64_t rows = kernel.tile_rows;
    const std::int64_t rounded = (range.end + rows - 1) / rows * rows;
    S* scores = scratch.scores.at_least(static_cast<std::size_t>(rounded * block.columns));
    if (block.columns == 1) {
        for (std::int64_t j = range.begin; j < range.end; j += rows)
            kernel.multiply_column(static_cast<int>(rows), d_head, tiles.keys + j * d_head, q, scores + j);
    } else {
        S* panel = scratch.panel.at_least(static_cast<std::size_t>(d_head) * block.columns);
        if (block.count < block.columns) std::fill(panel, panel + d_head * block.columns, S{0});
        kernel.transpose(q, stride, block.count, d_head, panel, block.columns);
        Tile<S> tile;
        tile.rows = static_cast<int>(rows);
        tile.last = block.columns;
        tile.inner = d_head;
        tile.w = panel;
        tile.y_stride = block.columns;
        for (std::int64_t j = range.begin; j < range.end; j += rows) {
            tile.x = tiles.keys + j * d_head;
            tile.y = scores + j * block.columns;
            kernel.multiply_tile(tile);
        }
    }
    if (q_sinks != nullptr && spec.streams(block.head))
        score_sinks(spec, batch, block, range, tiles, q_sinks, stride, scores);
    kernel.scale(static_cast<S>(spec.scale), (range.end - range.begin) * block.columns,
                 scores + range.begin * block.columns);
    if (spec.cap != 0.0F)
        kernel.cap(static_cast<S>(spec.cap), (range.end - range.begin) * block.columns,
                   scores + range.begin * block.columns);
    if (spec.key_bias != run::absent)
        add_bias(*plan.constants[static_cast<std::size_t>(spec.key_bias)], block, range, scores);
    hide(spec, batch, block, range, scores);
    return scores;
}

template <typename S>
void block_softmax(const QueryBlock& block, KeyRange range, S* scores) {
    const std::int64_t keys = range.end - range.begin;
    if (block.columns == 1)
        kernels<S>().softmax_single(scores + range.begin, keys);
    else
        kernels<S>().softmax_columns(scores + range.begin * block.columns, keys);
}

template <typename S>
void block_mix(const QueryBlock& block, KeyRange range, const HeadTiles<S>& tiles, const S* pattern, S* out,
               std::int64_t stride, BlockScratch<S>& scratch) {
    const Kernels<S>& kernel = kernels<S>();
    const Tiling channels = Tiling::of<S>(tiles.shape.d_head);
    const std::int64_t keys = range.end - range.begin;
    const S* weights = pattern + range.begin * block.columns;
    S* z = scratch.panel.at_least(static_cast<std::size_t>(tiles.shape.d_head) * block.columns);
    for (std::int64_t t = 0; t < channels.tiles; ++t) {
        const std::int64_t first = channels.start(t);
        const S* values = tiles.values + first * tiles.shape.capacity + range.begin * channels.size(t);
        if (block.columns == 1) {
            kernel.multiply_column(channels.size(t), keys, values, weights, out + first);
            continue;
        }
        Tile<S> tile;
        tile.rows = channels.size(t);
        tile.last = block.columns;
        tile.inner = keys;
        tile.x = values;
        tile.w = weights;
        tile.y = z + first * block.columns;
        tile.y_stride = block.columns;
        kernel.multiply_tile(tile);
    }
    if (block.columns > 1) kernel.transpose(z, block.columns, tiles.shape.d_head, block.count, out, stride);
}

template <typename S>
void store_block(const QueryBlock& block, KeyRange range, const S* from, S hidden, std::int64_t keys,
                 S* rows) {
    for (int i = 0; i < block.count; ++i) {
        std::fill(rows + i * keys, rows + i * keys + range.begin, hidden);
        std::fill(rows + i * keys + range.end, rows + (i + 1) * keys, hidden);
    }
    kernels<S>().transpose(from + range.begin * block.columns, block.columns, range.end - range.begin,
                           block.count, rows + range.begin, keys);
}

template <typename S>
S* load_block(const QueryBlock& block, std::int64_t keys, const S* rows, S unused, BlockScratch<S>& scratch) {
    const std::int64_t elements = keys * block.columns;
    S* to = scratch.scores.at_least(static_cast<std::size_t>(elements));
    if (block.count < block.columns) std::fill(to, to + elements, unused);
    kernels<S>().transpose(rows, keys, block.count, keys, to, block.columns);
    return to;
}

#define VITRINE_INSTANTIATE(S)                                                                               \
    template std::vector<QueryBlock> blocks_of<S>(const run::Batch&, int, bool);                             \
    template KeyRange visible<S>(const run::AttentionSpec&, const run::Batch&, const QueryBlock&);           \
    template S* block_scores(const run::AttentionSpec&, const run::Plan&, const run::Batch&,                 \
                             const QueryBlock&, KeyRange, const HeadTiles<S>&, const S*, const S*,           \
                             std::int64_t, BlockScratch<S>&);                                                \
    template void block_softmax(const QueryBlock&, KeyRange, S*);                                            \
    template void block_mix(const QueryBlock&, KeyRange, const HeadTiles<S>&, const S*, S*, std::int64_t,    \
                            BlockScratch<S>&);                                                               \
    template void store_block(const QueryBlock&, KeyRange, const S*, S, std::int64_t, S*);                   \
    template S* load_block(const QueryBlock&, std::int64_t, const S*, S, BlockScratch<S>&);
VITRINE_INSTANTIATE(float)
VITRINE_INSTANTIATE(double)
#undef VITRINE_INSTANTIATE

} // namespace vitrine::backend::cpu
