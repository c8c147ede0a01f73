#pragma once
// The engine's own attention blocks of one head, outside of a plan's execution.
#include <vector>

#include "core/attention/layer_scores.h"
#include "core/backend/cpu/attention_block.h"

namespace vitrine::attention {

/// Keys of one head in tiles, and its queries.
class HeadBlocks {
public:
    HeadBlocks(const LayerScores& scores, int head);

    static int columns(); ///< queries of a block
    int tokens() const { return scores_.tokens; }
    /// The block that begins at a query.
    backend::cpu::QueryBlock block_at(int query) const;
    /// Keys that a block's queries may see, from the start of a tile.
    backend::cpu::KeyRange visible(const backend::cpu::QueryBlock& block) const;
    /// Scores [key][columns()] of keys in range, −∞ where hidden; the result points at key 0.
    float* scores(const backend::cpu::QueryBlock& block, backend::cpu::KeyRange range,
                  backend::cpu::BlockScratch<float>& scratch) const;

private:
    LayerScores scores_;
    int head_;
    run::Plan plan_; ///< no ops: the batch and the constants that blocks read
    backend::cpu::TileShape shape_;
    backend::cpu::Buffer<float> keys_;
    std::vector<float> q_, q_sinks_; ///< [tokens, d_head] where queries are rotated here; else empty
};

} // namespace vitrine::attention
