#pragma once
// Keys and values of one batch row in the form attention reads: tiles, so that scores and mixes of a block of
// queries are products of tiles without any further rearranging.
#include <cstdint>

#include "core/backend/backend.h"
#include "core/backend/cpu/buffer.h"

namespace vitrine::backend::cpu {

/// Sizes of the tiled keys and values of one key head with room for `capacity` tokens.
/// Keys: [capacity / tile_rows][d_head][tile_rows]. Values: for each tile of channels (Tiling of d_head)
/// [capacity][channels of the tile].
struct TileShape {
    int d_head = 0;
    std::int64_t capacity = 0; ///< a multiple of the kernels' tile_rows

    template <typename S>
    static TileShape of(int d_head, std::int64_t tokens);
    std::int64_t elements() const { return capacity * d_head; } ///< of the keys, and of the values
};

/// Writes `count` tokens at places `at` … of one head's tiles. k and v have rows `stride` elements apart.
template <typename S>
void store_keys(const TileShape& shape, const S* k, std::int64_t stride, std::int64_t at, std::int64_t count,
                S* tiles);
template <typename S>
void store_values(const TileShape& shape, const S* v, std::int64_t stride, std::int64_t at,
                  std::int64_t count, S* tiles);

/// Where attention finds one head's keys and values.
template <typename S>
struct HeadTiles {
    TileShape shape;
    const S* keys = nullptr;
    const S* values = nullptr;
};

/// The cache: tiles of every layer, batch row and key head.
template <typename S>
class CpuCache final : public KvCache {
public:
    CpuCache(int layers, int kv_heads, int d_head, int rows, int capacity);

    int length(int row) const override { return lengths_[static_cast<std::size_t>(row)]; }
    void truncate(int row, int length) override;

    int rows() const { return static_cast<int>(lengths_.size()); }
    int capacity() const { return capacity_; }
    /// Writes tokens behind length(row); the length itself is raised by commit, once the whole plan is done.
    void append(int layer, int row, const S* k, const S* v, int count);
    void commit(int row, int count) { lengths_[static_cast<std::size_t>(row)] += count; }
    HeadTiles<S> head(int layer, int row, int kv_head) const;
    std::uint64_t bytes() const { return memory_.capacity() * sizeof(S); }

private:
    S* keys_at(int layer, int row, int kv_head) const;

    TileShape shape_;
    int kv_heads_;
    int capacity_;
    std::vector<int> lengths_;
    Buffer<S> memory_;
};

} // namespace vitrine::backend::cpu
