#pragma once
// Attention of one head for a block of queries. Scores and pattern of the block stand transposed, [keys]
// [columns]: so softmax runs down columns, and the block is the right-hand side of the product with the
// values as it is. Whole and split attention, with and without a cache, go through the same loops: same bits.
#include "core/backend/cpu/context.h"

namespace vitrine::backend::cpu {

/// Up to kernels<S>().panel_columns queries of one row and head.
struct QueryBlock {
    int row = 0;
    int head = 0;
    int first = 0;   ///< query within the row
    int count = 0;   ///< queries
    int columns = 0; ///< of the block in memory: panel_columns, or 1 where one token is decoded
};

/// Every block of the queries in `batch`, those with most keys first.
template <typename S>
std::vector<QueryBlock> blocks_of(const run::Batch& batch, int heads, bool decoding);

/// Keys that a block touches, [begin, end), begin at the start of a tile; the others are hidden.
struct KeyRange {
    std::int64_t begin = 0;
    std::int64_t end = 0;
};
template <typename S>
KeyRange visible(const run::AttentionSpec& spec, const run::Batch& batch, const QueryBlock& block);

/// Memory of one thread.
template <typename S>
struct BlockScratch {
    Buffer<S> scores; ///< [keys, rounded up to a tile][columns]
    Buffer<S> panel;  ///< queries [d_head][columns], later z [d_head][columns]
};

/// scores[j][i] = scale · q_i · k_j, capped, with the bias of key j, and −∞ where hidden, for j in range. q:
/// the block's first query, queries `stride` apart (`batch`: theirs); q_sinks likewise, as Attention::q_sinks
/// (nullptr: q). Returns the scores of key 0 (those before the range are not written).
template <typename S>
S* block_scores(const run::AttentionSpec& spec, const run::Plan& plan, const run::Batch& batch,
                const QueryBlock& block, KeyRange range, const HeadTiles<S>& tiles, const S* q,
                const S* q_sinks, std::int64_t stride, BlockScratch<S>& scratch);

/// Softmax over the keys of the range, in place.
template <typename S>
void block_softmax(const QueryBlock& block, KeyRange range, S* scores);

/// out[i, :] = Σ_j pattern[j][i] · v_j over the range; rows of out are `stride` apart.
template <typename S>
void block_mix(const QueryBlock& block, KeyRange range, const HeadTiles<S>& tiles, const S* pattern, S* out,
               std::int64_t stride, BlockScratch<S>& scratch);

/// Between the transposed block and rows [queries][keys] of a value of pairs. Outside the range `hidden` is
/// stored. `rows` is the block's first row.
template <typename S>
void store_block(const QueryBlock& block, KeyRange range, const S* from, S hidden, std::int64_t keys,
                 S* rows);
template <typename S>
S* load_block(const QueryBlock& block, std::int64_t keys, const S* rows, S unused, BlockScratch<S>& scratch);

} // namespace vitrine::backend::cpu
