#pragma once
// What the cells of a head are, block by block: weights, scores, weighted values, and their differences.
#include <optional>

#include "core/attention/head_blocks.h"
#include "core/attention/pyramid.h"

namespace vitrine::attention {

/// Blocks of queries, [key][HeadBlocks::columns()]. What a mask hides is 0, among scores −∞. What the
/// functions return lies in memory of the calling thread, until it calls again.
class CellSource {
public:
    /// minus: the cells are differences from the same head there.
    CellSource(const LayerScores& scores, const LayerScores* minus, int head, Cells cells);

    int tokens() const { return a_.blocks.tokens(); }
    bool is_difference() const { return b_.has_value(); }
    Cells cells() const { return cells_; }
    std::vector<KeyMask> masks() const; ///< what hides keys; none where nothing does
    backend::cpu::QueryBlock block_at(int query) const { return a_.blocks.block_at(query); }
    backend::cpu::KeyRange visible(const backend::cpu::QueryBlock& block) const;

    /// All visible keys of a block, in a range that may begin before them: and what parts of it need is known
    /// from now on. Points at key 0. moment: Σ of the softmax's numerators times their exponents, by column
    /// (nothing among scores); one thread a block.
    float* read(const backend::cpu::QueryBlock& block, float* moment);
    /// Keys begin … end of a block that was read. Points at key 0.
    float* part(const backend::cpu::QueryBlock& block, int begin, int end) const;
    /// 1 / Σ of the softmax's numerators, by query.
    float inverse(int query) const { return a_.inverse[static_cast<std::size_t>(query)]; }

private:
    struct Side {
        HeadBlocks blocks;
        KeyMask mask;
        std::shared_ptr<const ValueNorms> norms;
        std::vector<float> highest, inverse; ///< by query, rounded up to a block

        Side(const LayerScores& scores, int head);
    };
    float hidden() const;
    float* read_side(Side& side, const backend::cpu::QueryBlock& block, float* moment,
                     backend::cpu::BlockScratch<float>& scratch) const;
    float* part_of(const Side& side, const backend::cpu::QueryBlock& block, int begin, int end,
                   backend::cpu::BlockScratch<float>& scratch) const;
    /// From weights or scores of one or both sides to cells, in place.
    void combine(float* a, const float* b, int begin, int end) const;

    Cells cells_;
    int head_;
    Side a_;
    std::optional<Side> b_;
};

} // namespace vitrine::attention
