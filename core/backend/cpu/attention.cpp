// The attention ops: whole, or scores, pattern and mix apart so that edits can come between.
#include <algorithm>
#include <cmath>
#include <limits>

#include "core/backend/cpu/attention_block.h"
#include "core/backend/cpu/ops.h"

namespace vitrine::backend::cpu {

namespace {

/// Keys and values of every row and key head: those of the cache, or this plan's own brought into tiles.
template <typename S>
class Tiles {
public:
    /// `keys` or `values` may be absent if they are not needed.
    Tiles(const run::AttentionSpec& spec, run::ValueId keys_id, run::ValueId values_id, Context<S>& context)
        : spec_(spec), cache_(spec.layer >= 0 ? context.cache : nullptr) {
        if (cache_ != nullptr) return;
        const run::Batch& batch = context.batch(keys_id == run::absent ? values_id : keys_id);
        const S* k = context.data(keys_id);
        const S* v = context.data(values_id);
        std::int64_t elements = 0;
        for (int row = 0; row < batch.rows(); ++row) {
            shapes_.push_back(TileShape::of<S>(spec.d_head, batch.queries(row)));
            starts_.push_back(elements);
            elements += 2 * shapes_.back().elements() * spec.kv_heads;
        }
        constexpr std::int64_t slack = 64; // multiply_column reads up to a register past the last tile
        memory_ = context.scratch.keys_values.at_least(static_cast<std::size_t>(elements + slack));
        const auto jobs = static_cast<std::size_t>(batch.rows()) * static_cast<std::size_t>(spec.kv_heads);
        context.pool.parallel_for(jobs, [&](std::size_t job) {
            const int row = static_cast<int>(job) / spec.kv_heads;
            const int head = static_cast<int>(job) % spec.kv_heads;
            const TileShape& shape = shapes_[static_cast<std::size_t>(row)];
            const std::int64_t stride = static_cast<std::int64_t>(spec.kv_heads) * spec.d_head;
            const std::int64_t first = batch.row_start[static_cast<std::size_t>(row)] * stride +
                                       static_cast<std::int64_t>(head) * spec.d_head;
            S* keys = at(row, head);
            const int count = batch.queries(row);
            if (k != nullptr) {
                const std::int64_t rows = kernels<S>().tile_rows;
                const std::int64_t whole =
                    count / rows * rows * spec.d_head; // the last tile is filled up with 0
                std::fill(keys + whole, keys + shape.elements(), S{0});
                store_keys(shape, k + first, stride, 0, count, keys);
            }
            if (v != nullptr) store_values(shape, v + first, stride, 0, count, keys + shape.elements());
        });
    }

    HeadTiles<S> of(const QueryBlock& block) const {
        const int kv_head = block.head / (spec_.heads / spec_.kv_heads);
        if (cache_ != nullptr) return cache_->head(spec_.layer, block.row, kv_head);
        const TileShape& shape = shapes_[static_cast<std::size_t>(block.row)];
        const S* keys = at(block.row, kv_head);
        return {shape, keys, keys + shape.elements()};
    }

private:
    S* at(int row, int head) const {
        return memory_ + starts_[static_cast<std::size_t>(row)] +
               2 * shapes_[static_cast<std::size_t>(row)].elements() * head;
    }

    const run::AttentionSpec& spec_;
    const CpuCache<S>* cache_;
    std::vector<TileShape> shapes_;
    std::vector<std::int64_t> starts_;
    S* memory_ = nullptr;
};

/// A block's first row in a value of pairs.
template <typename S>
S* pair_rows(S* pairs, const run::Batch& batch, const QueryBlock& block, int heads) {
    if (pairs == nullptr) return nullptr;
    for (int row = 0; row < block.row; ++row)
        pairs += static_cast<std::int64_t>(heads) * batch.queries(row) * batch.keys(row);
    return pairs + (static_cast<std::int64_t>(block.head) * batch.queries(block.row) + block.first) *
                       batch.keys(block.row);
}

/// Offset of a block's first query in a value of tokens.
std::int64_t query_offset(const run::Batch& batch, const QueryBlock& block, int heads, int width) {
    const std::int64_t token = batch.row_start[static_cast<std::size_t>(block.row)] + block.first;
    return (token * heads + block.head) * width;
}

template <typename S, typename Body>
void for_blocks(const run::Batch& batch, int heads, Context<S>& context, const Body& body) {
    const std::vector<QueryBlock> blocks = blocks_of<S>(batch, heads, context.plan.decoding);
    context.pool.parallel_for(blocks.size(), [&](std::size_t i) {
        if (context.cancel.cancelled()) return;
        thread_local BlockScratch<S> scratch;
        body(blocks[i], scratch);
    });
}

} // namespace

template <typename S>
void execute(const run::Attention& op, Context<S>& context) {
    const run::AttentionSpec& spec = op.spec;
    const run::Batch& batch = context.batch(op.q);
    const S* q = context.data(op.q);
    const S* q_sinks = context.data(op.q_sinks);
    S* out = context.data(op.out);
    S* scores_out = context.data(op.scores);
    S* pattern_out = context.data(op.pattern);
    const Tiles<S> tiles(spec, op.k, op.v, context);
    const std::int64_t stride = static_cast<std::int64_t>(spec.heads) * spec.d_head;
    for_blocks(batch, spec.heads, context, [&](const QueryBlock& block, BlockScratch<S>& scratch) {
        const KeyRange range = visible<S>(spec, batch, block);
        const std::int64_t keys = batch.keys(block.row);
        const std::int64_t offset = query_offset(batch, block, spec.heads, spec.d_head);
        const HeadTiles<S> head = tiles.of(block);
        S* scores = block_scores(spec, context.plan, batch, block, range, head, q + offset,
                                 q_sinks == nullptr ? nullptr : q_sinks + offset, stride, scratch);
        if (scores_out != nullptr)
            store_block(block, range, scores, -std::numeric_limits<S>::infinity(), keys,
                        pair_rows(scores_out, batch, block, spec.heads));
        block_softmax(block, range, scores);
        if (pattern_out != nullptr)
            store_block(block, range, scores, S{0}, keys, pair_rows(pattern_out, batch, block, spec.heads));
        block_mix(block, range, head, scores, out + offset, stride, scratch);
    });
}

template <typename S>
void execute(const run::AttentionScores& op, Context<S>& context) {
    const run::AttentionSpec& spec = op.spec;
    const run::Batch& batch = context.batch(op.q);
    const S* q = context.data(op.q);
    const S* q_sinks = context.data(op.q_sinks);
    const Tiles<S> tiles(spec, op.k, run::absent, context);
    const std::int64_t stride = static_cast<std::int64_t>(spec.heads) * spec.d_head;
    for_blocks(batch, spec.heads, context, [&](const QueryBlock& block, BlockScratch<S>& scratch) {
        const KeyRange range = visible<S>(spec, batch, block);
        const std::int64_t offset = query_offset(batch, block, spec.heads, spec.d_head);
        const S* scores = block_scores(spec, context.plan, batch, block, range, tiles.of(block), q + offset,
                                       q_sinks == nullptr ? nullptr : q_sinks + offset, stride, scratch);
        store_block(block, range, scores, -std::numeric_limits<S>::infinity(), batch.keys(block.row),
                    pair_rows(context.data(op.out), batch, block, spec.heads));
    });
}

template <typename S>
void execute(const run::AttentionPattern& op, Context<S>& context) {
    const run::Batch& batch = context.batch(op.in);
    const int heads = context.value(op.in).heads;
    for_blocks(batch, heads, context, [&](const QueryBlock& block, BlockScratch<S>& scratch) {
        const std::int64_t keys = batch.keys(block.row);
        S* scores = load_block<S>(block, keys, pair_rows(context.data(op.in), batch, block, heads),
                                  -std::numeric_limits<S>::infinity(), scratch);
        block_softmax(block, {0, keys}, scores);
        store_block(block, {0, keys}, scores, S{0}, keys,
                    pair_rows(context.data(op.out), batch, block, heads));
    });
}

template <typename S>
void execute(const run::SigmoidPattern& op, Context<S>& context) {
    const run::Batch& batch = context.batch(op.in);
    static constexpr S hidden = -std::numeric_limits<S>::infinity();
    const S* in = context.data(op.in);
    S* out = context.data(op.out);
    for (int row = 0; row < batch.rows(); ++row) {
        const std::int64_t keys = batch.keys(row);
        const std::int64_t queries = std::int64_t{context.value(op.in).heads} * batch.queries(row);
        context.pool.parallel_for(static_cast<std::size_t>(queries), [&](std::size_t i) {
            const S* x = in + static_cast<std::int64_t>(i) * keys;
            S* y = out + static_cast<std::int64_t>(i) * keys;
            const auto n = static_cast<S>(keys - std::count(x, x + keys, hidden));
            std::transform(x, x + keys, y, [n](S score) {
                return score == hidden ? S{0} : S{1} / (S{1} + n * std::exp(-score));
            });
        });
        in += queries * keys;
        out += queries * keys;
    }
}

template <typename S>
void execute(const run::AttentionMix& op, Context<S>& context) {
    const run::AttentionSpec& spec = op.spec;
    const run::Batch& batch = context.batch(op.pattern);
    const Tiles<S> tiles(spec, run::absent, op.v, context);
    const std::int64_t stride = static_cast<std::int64_t>(spec.heads) * spec.d_head;
    for_blocks(batch, spec.heads, context, [&](const QueryBlock& block, BlockScratch<S>& scratch) {
        const std::int64_t keys = batch.keys(block.row);
        const S* pattern = load_block<S>(
            block, keys, pair_rows(context.data(op.pattern), batch, block, spec.heads), S{0}, scratch);
        block_mix(block, {0, keys}, tiles.of(block), pattern,
                  context.data(op.out) + query_offset(batch, block, spec.heads, spec.d_head), stride,
                  scratch);
    });
}

template <typename S>
void execute(const run::CacheAppend& op, Context<S>& context) {
    const run::Batch& batch = context.batch(op.k);
    const std::int64_t width = context.row_size(op.k);
    context.pool.parallel_for(static_cast<std::size_t>(batch.rows()), [&](std::size_t row) {
        const std::int64_t first = batch.row_start[row] * width;
        context.cache->append(op.layer, static_cast<int>(row), context.data(op.k) + first,
                              context.data(op.v) + first, batch.queries(static_cast<int>(row)));
    });
}

#define VITRINE_INSTANTIATE(Op)                                                                              \
    template void execute(const run::Op&, Context<float>&);                                                  \
    template void execute(const run::Op&, Context<double>&);
VITRINE_INSTANTIATE(Attention)
VITRINE_INSTANTIATE(AttentionScores)
VITRINE_INSTANTIATE(AttentionPattern)
VITRINE_INSTANTIATE(SigmoidPattern)
VITRINE_INSTANTIATE(AttentionMix)
VITRINE_INSTANTIATE(CacheAppend)
#undef VITRINE_INSTANTIATE

} // namespace vitrine::backend::cpu
