#include "core/backend/vulkan/values.h"

#include <algorithm>

namespace vitrine::backend::vulkan {

namespace {

/// Calls line(dense offset, padded offset, elements) for each run of elements that lie together.
template <typename Line>
void each_line(const ValueLayout& layout, Line line) {
    std::size_t dense = 0;
    const auto lines = [&](std::size_t padded, std::size_t count, std::size_t width, std::size_t pitch) {
        if (width == pitch) { // no padding: one run
            line(dense, padded, count * width);
            dense += count * width;
            return;
        }
        for (std::size_t i = 0; i < count; ++i, dense += width)
            line(dense, padded + i * pitch, width);
    };
    if (layout.kind == run::Layout::tokens)
        return lines(0, std::size_t{layout.count} * layout.heads, layout.width,
                     std::size_t{4} * layout.head());
    for (const PairsRow& row : layout.rows)
        lines(std::size_t{4} * row.base, std::size_t{layout.heads} * row.queries, row.keys,
              std::size_t{4} * row.pitch);
}

} // namespace

ValueLayout layout_of(const run::Value& value, const run::Batch& batch) {
    ValueLayout layout;
    layout.kind = value.layout;
    layout.heads = static_cast<std::uint32_t>(value.heads);
    if (value.layout == run::Layout::tokens) {
        layout.count = static_cast<std::uint32_t>(value.count);
        layout.width = static_cast<std::uint32_t>(value.width);
        layout.size = std::uint64_t{layout.count} * layout.row();
        return layout;
    }
    for (int r = 0; r < batch.rows(); ++r) {
        const PairsRow row{static_cast<std::uint32_t>(layout.size),
                           static_cast<std::uint32_t>(batch.queries(r)),
                           static_cast<std::uint32_t>(batch.keys(r)), groups_of_four(batch.keys(r))};
        layout.rows.push_back(row);
        layout.size += std::uint64_t{layout.heads} * row.head();
    }
    return layout;
}

void pad(const ValueLayout& layout, std::span<const float> dense, std::span<float> padded) {
    std::fill(padded.begin(), padded.end(), 0.0F);
    each_line(layout, [&](std::size_t from, std::size_t to, std::size_t count) {
        std::copy_n(dense.data() + from, count, padded.data() + to);
    });
}

void unpad(const ValueLayout& layout, std::span<const float> padded, std::span<float> dense) {
    each_line(layout, [&](std::size_t to, std::size_t from, std::size_t count) {
        std::copy_n(padded.data() + from, count, dense.data() + to);
    });
}

} // namespace vitrine::backend::vulkan
