#include "core/attention/head_blocks.h"

#include <algorithm>

#include "core/backend/cpu/rotate.h"

namespace vitrine::attention {

namespace cpu = backend::cpu;

HeadBlocks::HeadBlocks(const LayerScores& scores, int head) : scores_(scores), head_(head) {
    plan_.batch.tokens.assign(static_cast<std::size_t>(scores.tokens), 0);
    plan_.batch.row_start = {0, scores.tokens};
    plan_.batch.past = {0};
    if (scores.key_bias) plan_.constants.push_back(scores.key_bias);
    shape_ = cpu::TileShape::of<float>(scores.spec.d_head, scores.tokens);
    float* tiles = keys_.at_least(static_cast<std::size_t>(shape_.elements()));
    std::fill(tiles, tiles + shape_.elements(), 0.0F);
    const int kv_head = head / (scores.spec.heads / scores.spec.kv_heads);
    cpu::store_keys(shape_, scores.k->data.data() + std::int64_t{kv_head} * scores.spec.d_head,
                    std::int64_t{scores.spec.kv_heads} * scores.spec.d_head, 0, scores.tokens, tiles);
    if (!scores.rotation) return;
    const QueryRotation& rotation = *scores.rotation;
    const int width = scores.spec.d_head;
    const std::int64_t half = rotation.op.dims / 2;
    const std::size_t size = static_cast<std::size_t>(scores.tokens) * static_cast<std::size_t>(width);
    for (const auto& [op, out] : {std::pair(&rotation.op, &q_), std::pair(&rotation.for_sinks, &q_sinks_)}) {
        out->resize(size);
        for (int token = 0; token < scores.tokens; ++token) {
            const std::int64_t line = run::table_line(*op, plan_.batch, token) * half;
            cpu::rotate_head(*op, rotation.cos->data.data() + line, rotation.sin->data.data() + line, width,
                             scores.q->data.data() + (std::int64_t{token} * scores.spec.heads + head) * width,
                             out->data() + std::int64_t{token} * width);
        }
    }
}

int HeadBlocks::columns() { return cpu::kernels<float>().panel_columns; }

cpu::QueryBlock HeadBlocks::block_at(int query) const {
    return {0, head_, query, std::min(columns(), tokens() - query), columns()};
}

cpu::KeyRange HeadBlocks::visible(const cpu::QueryBlock& block) const {
    return cpu::visible<float>(scores_.spec, plan_.batch, block);
}

float* HeadBlocks::scores(const cpu::QueryBlock& block, cpu::KeyRange range,
                          cpu::BlockScratch<float>& scratch) const {
    if (!q_.empty()) {
        const std::int64_t first = std::int64_t{block.first} * scores_.spec.d_head;
        return cpu::block_scores<float>(scores_.spec, plan_, plan_.batch, block, range,
                                        {shape_, keys_.data(), nullptr}, q_.data() + first,
                                        q_sinks_.data() + first, scores_.spec.d_head, scratch);
    }
    const std::int64_t stride = std::int64_t{scores_.spec.heads} * scores_.spec.d_head;
    const float* q =
        scores_.q->data.data() + block.first * stride + std::int64_t{head_} * scores_.spec.d_head;
    return cpu::block_scores<float>(scores_.spec, plan_, plan_.batch, block, range,
                                    {shape_, keys_.data(), nullptr}, q, nullptr, stride, scratch);
}

} // namespace vitrine::attention
