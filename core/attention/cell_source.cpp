#include "core/attention/cell_source.h"

#include <algorithm>
#include <array>
#include <cmath>

namespace vitrine::attention {

namespace cpu = backend::cpu;

namespace {

/// Of this thread, for each side of a difference.
cpu::BlockScratch<float>& scratch_of(std::size_t side) {
    thread_local std::array<cpu::BlockScratch<float>, 2> scratch;
    return scratch[side];
}

std::int64_t up(std::int64_t value, int multiple) { return (value + multiple - 1) / multiple * multiple; }

} // namespace

CellSource::Side::Side(const LayerScores& scores, int head) : blocks(scores, head), norms(scores.norms) {
    mask.window = scores.spec.window;
    if (scores.spec.streams(head)) {
        mask.sinks = scores.spec.sinks;
        mask.stream_window = scores.spec.stream_window;
    }
    const auto padded = static_cast<std::size_t>(up(scores.tokens, HeadBlocks::columns()));
    highest.assign(padded, 0);
    inverse.assign(padded, 0);
}

CellSource::CellSource(const LayerScores& scores, const LayerScores* minus, int head, Cells cells)
    : cells_(cells), head_(head), a_(scores, head) {
    if (minus != nullptr) b_.emplace(*minus, head);
}

std::vector<KeyMask> CellSource::masks() const {
    std::vector<KeyMask> out;
    for (const Side* side : {&a_, b_ ? &*b_ : nullptr})
        if (side != nullptr && (side->mask.window > 0 || side->mask.stream_window > 0))
            out.push_back(side->mask);
    return out;
}

cpu::KeyRange CellSource::visible(const cpu::QueryBlock& block) const {
    cpu::KeyRange range = a_.blocks.visible(block);
    if (b_) range.begin = std::min(range.begin, b_->blocks.visible(block).begin);
    return range;
}

float CellSource::hidden() const { return cells_ == Cells::score ? -INFINITY : 0.0F; }

float* CellSource::read_side(Side& side, const cpu::QueryBlock& block, float* moment,
                             cpu::BlockScratch<float>& scratch) const {
    const int columns = HeadBlocks::columns();
    const cpu::KeyRange range = side.blocks.visible(block);
    float* cells = side.blocks.scores(block, range, scratch);
    if (cells_ != Cells::score)
        cpu::kernels<float>().softmax_measured(cells + range.begin * columns, range.end - range.begin,
                                               {&side.highest[static_cast<std::size_t>(block.first)],
                                                &side.inverse[static_cast<std::size_t>(block.first)],
                                                moment});
    std::fill(cells + visible(block).begin * columns, cells + range.begin * columns, hidden());
    for (std::int64_t key = visible(block).begin; key < range.end && block.count < columns; ++key)
        std::fill(cells + key * columns + block.count, cells + (key + 1) * columns, hidden()); // no queries
    return cells;
}

float* CellSource::read(const cpu::QueryBlock& block, float* moment) {
    float* cells = read_side(a_, block, moment, scratch_of(0));
    std::vector<float> unused(b_ ? static_cast<std::size_t>(HeadBlocks::columns()) : 0);
    const float* minus = b_ ? read_side(*b_, block, unused.data(), scratch_of(1)) : nullptr;
    const cpu::KeyRange range = visible(block);
    combine(cells, minus, static_cast<int>(range.begin), static_cast<int>(range.end));
    return cells;
}

float* CellSource::part_of(const Side& side, const cpu::QueryBlock& block, int begin, int end,
                           cpu::BlockScratch<float>& scratch) const {
    const int columns = HeadBlocks::columns();
    const int tile = cpu::kernels<float>().tile_rows;
    const cpu::KeyRange seen = side.blocks.visible(block);
    const cpu::KeyRange range{std::max<std::int64_t>(seen.begin, begin / tile * tile),
                              std::min<std::int64_t>(seen.end, end)};
    float* cells = scratch.scores.at_least(static_cast<std::size_t>(up(end, tile) * columns));
    if (range.begin < range.end) {
        cells = side.blocks.scores(block, range, scratch);
        if (cells_ != Cells::score)
            cpu::kernels<float>().softmax_part(cells + range.begin * columns, range.end - range.begin,
                                               &side.highest[static_cast<std::size_t>(block.first)],
                                               &side.inverse[static_cast<std::size_t>(block.first)]);
    }
    // Keys that no query of the block may see.
    for (std::int64_t key = begin; key < end; ++key)
        if (key < range.begin || key >= range.end)
            std::fill(cells + key * columns, cells + (key + 1) * columns, hidden());
    return cells;
}

float* CellSource::part(const cpu::QueryBlock& block, int begin, int end) const {
    float* cells = part_of(a_, block, begin, end, scratch_of(0));
    combine(cells, b_ ? part_of(*b_, block, begin, end, scratch_of(1)) : nullptr, begin, end);
    return cells;
}

void CellSource::combine(float* a, const float* b, int begin, int end) const {
    if (b == nullptr && cells_ != Cells::value_weighted) return;
    const int columns = HeadBlocks::columns();
    for (std::ptrdiff_t key = begin; key < end; ++key) {
        float* ours = a + key * columns;
        const float* theirs = b == nullptr ? nullptr : b + key * columns;
        if (cells_ == Cells::value_weighted) {
            const double norm = a_.norms->of(head_)[key];
            const double other = theirs == nullptr ? 0 : b_->norms->of(head_)[key];
            for (int i = 0; i < columns; ++i) {
                double value = static_cast<double>(ours[i]) * norm;
                if (theirs != nullptr) value -= static_cast<double>(theirs[i]) * other;
                ours[i] = static_cast<float>(value);
            }
        } else if (cells_ == Cells::score) {
            for (int i = 0; i < columns; ++i)
                ours[i] = ours[i] == -INFINITY || theirs[i] == -INFINITY ? -INFINITY : ours[i] - theirs[i];
        } else {
            for (int i = 0; i < columns; ++i)
                ours[i] -= theirs[i];
        }
    }
}

} // namespace vitrine::attention
