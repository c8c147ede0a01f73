#include "core/attention/pyramid.h"

#include <algorithm>
#include <cmath>
#include <utility>

namespace vitrine::attention {

namespace {

std::vector<std::int32_t> counted(int tokens, const std::vector<bool>& out) {
    std::vector<std::int32_t> before{0};
    before.reserve(static_cast<std::size_t>(tokens) + 1);
    for (int at = 0; at < tokens; ++at)
        before.push_back(before.back() + (out.empty() || !out[static_cast<std::size_t>(at)] ? 1 : 0));
    return before;
}

} // namespace

Presence::Presence(int tokens, const std::vector<bool>& keys_out, const std::vector<bool>& queries_out,
                   std::vector<KeyMask> masks)
    : tokens_(tokens), masks_(std::move(masks)), keys_(counted(tokens, keys_out)),
      queries_(counted(tokens, queries_out)) {}

// Keys of [k0, k1) that are there and that every mask from the first on lets the query see.
std::int64_t Presence::seen_by_masks(int query, int k0, int k1, std::size_t first_mask) const {
    if (k0 >= k1) return 0;
    if (first_mask == masks_.size())
        return keys_[static_cast<std::size_t>(k1)] - keys_[static_cast<std::size_t>(k0)];
    const KeyMask& mask = masks_[first_mask];
    if (mask.window > 0) k0 = std::max(k0, query - mask.window + 1);
    if (mask.stream_window == 0) return seen_by_masks(query, k0, k1, first_mask + 1);
    const int last = std::max(mask.sinks, query - mask.stream_window + 1); // from here on, and the sinks
    return seen_by_masks(query, k0, std::min(k1, mask.sinks), first_mask + 1) +
           seen_by_masks(query, std::max(k0, last), k1, first_mask + 1);
}

std::int64_t Presence::count(int q0, int q1, int k0, int k1) const {
    q1 = std::min(q1, tokens_);
    k1 = std::min(k1, tokens_);
    if (!masks_.empty()) {
        std::int64_t seen = 0;
        for (int query = std::max(q0, k0); query < q1; ++query)
            if (!query_out(query)) seen += seen_by_masks(query, k0, std::min(k1, query + 1), 0);
        return seen;
    }
    const auto keys = [&](int end) {
        return end <= k0 ? 0 : keys_[static_cast<std::size_t>(end)] - keys_[static_cast<std::size_t>(k0)];
    };
    const auto queries = [&](int begin) {
        return begin >= q1
                   ? 0
                   : queries_[static_cast<std::size_t>(q1)] - queries_[static_cast<std::size_t>(begin)];
    };
    std::int64_t out = 0;
    const int full = std::max(q0, k1 - 1); // from here on a query sees all of the keys
    for (int query = std::max(q0, k0); query < std::min(full, q1); ++query)
        if (!query_out(query)) out += keys(query + 1);
    return out + std::int64_t{queries(full)} * keys(k1);
}

Level coarser(const Level& level, const Presence& present, Extreme kind) {
    Level out;
    out.cell = 2 * level.cell;
    out.size = (level.size + 1) / 2;
    const auto cells = static_cast<std::size_t>(out.size) * static_cast<std::size_t>(out.size);
    out.largest.assign(cells, std::nanf(""));
    out.mean.assign(cells, std::nanf(""));
    for (int row = 0; row < out.size; ++row)
        for (int col = 0; col <= row; ++col) {
            float largest = kind == Extreme::largest ? -INFINITY : 0.0F;
            double sum = 0;
            std::int64_t count = 0;
            for (int r = 2 * row; r < std::min(2 * row + 2, level.size); ++r)
                for (int c = 2 * col; c < std::min(2 * col + 2, level.size); ++c) {
                    const float value = level.mean[level.at(r, c)];
                    if (std::isnan(value)) continue;
                    const std::int64_t here = present.count(r * level.cell, (r + 1) * level.cell,
                                                            c * level.cell, (c + 1) * level.cell);
                    sum += static_cast<double>(value) * static_cast<double>(here);
                    count += here;
                    largest = extreme_of(kind, largest, level.largest[level.at(r, c)]);
                }
            if (count == 0) continue;
            out.largest[out.at(row, col)] = largest;
            out.mean[out.at(row, col)] = static_cast<float>(sum / static_cast<double>(count));
        }
    return out;
}

} // namespace vitrine::attention
