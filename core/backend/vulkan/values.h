#pragma once
// How a plan's values lie in device memory: float32 in groups of four, so that every kernel loads whole
// vectors.
//
// tokens: [count, heads, width padded to 4]; pairs: for each batch row [heads, queries, keys padded to 4].
// What pads is finite. Strides and bases are in groups of four ("vec4s").
#include <cstdint>
#include <span>
#include <vector>

#include "core/run/plan.h"

namespace vitrine::backend::vulkan {

inline std::uint32_t groups_of_four(std::int64_t elements) {
    return static_cast<std::uint32_t>((elements + 3) / 4);
}

struct PairsRow {
    std::uint32_t base = 0; ///< of the batch row's block
    std::uint32_t queries = 0;
    std::uint32_t keys = 0;
    std::uint32_t pitch = 0; ///< between queries

    std::uint32_t head() const { return queries * pitch; } ///< between heads
};

struct ValueLayout {
    run::Layout kind = run::Layout::tokens;
    std::uint32_t count = 0; ///< tokens
    std::uint32_t heads = 1;
    std::uint32_t width = 0;    ///< elements of a head; tokens only
    std::vector<PairsRow> rows; ///< pairs only
    std::uint64_t size = 0;

    std::uint32_t head() const { return groups_of_four(width); } ///< between heads of tokens
    std::uint32_t row() const { return heads * head(); }         ///< between tokens
    std::uint64_t bytes() const { return size * 16; }
};

ValueLayout layout_of(const run::Value& value, const run::Batch& batch);

/// Spreads a dense array over the layout, with zeros between.
void pad(const ValueLayout& layout, std::span<const float> dense, std::span<float> padded);
/// The reverse.
void unpad(const ValueLayout& layout, std::span<const float> padded, std::span<float> dense);

} // namespace vitrine::backend::vulkan
