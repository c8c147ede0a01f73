#include "core/backend/cpu/keys_values.h"

#include <algorithm>

#include "core/backend/cpu/kernels.h"
#include "core/backend/cpu/product.h"

namespace vitrine::backend::cpu {

namespace {
constexpr std::int64_t slack = 64; // multiply_column reads up to a register past the last tile
}

template <typename S>
TileShape TileShape::of(int d_head, std::int64_t tokens) {
    const std::int64_t rows = kernels<S>().tile_rows;
    return {d_head, (tokens + rows - 1) / rows * rows};
}

template <typename S>
void store_keys(const TileShape& shape, const S* k, std::int64_t stride, std::int64_t at, std::int64_t count,
                S* tiles) {
    const std::int64_t rows = kernels<S>().tile_rows;
    for (std::int64_t j = 0; j < count;) {
        const std::int64_t place = (at + j) % rows;
        S* tile = tiles + (at + j) / rows * rows * shape.d_head;
        if (place == 0 && count - j >= rows) {
            kernels<S>().pack_tile(k + j * stride, stride, static_cast<int>(rows), shape.d_head, tile);
            j += rows;
            continue;
        }
        for (int d = 0; d < shape.d_head; ++d)
            tile[d * rows + place] = k[j * stride + d];
        ++j;
    }
}

template <typename S>
void store_values(const TileShape& shape, const S* v, std::int64_t stride, std::int64_t at,
                  std::int64_t count, S* tiles) {
    const Tiling channels = Tiling::of<S>(shape.d_head);
    for (std::int64_t t = 0; t < channels.tiles; ++t) {
        const std::int64_t first = channels.start(t);
        const int size = channels.size(t);
        S* out = tiles + first * shape.capacity + at * size;
        for (std::int64_t j = 0; j < count; ++j, out += size)
            std::copy(v + j * stride + first, v + j * stride + first + size, out);
    }
}

template <typename S>
CpuCache<S>::CpuCache(int layers, int kv_heads, int d_head, int rows, int capacity)
    : shape_(TileShape::of<S>(d_head, capacity)), kv_heads_(kv_heads), capacity_(capacity),
      lengths_(static_cast<std::size_t>(rows), 0) {
    const std::int64_t elements = 2 * shape_.elements() * kv_heads * rows * layers + slack;
    S* memory = memory_.at_least(static_cast<std::size_t>(elements));
    std::fill(memory, memory + elements, S{0}); // tiles are read whole, tokens that are not there yet too
}

template <typename S>
void CpuCache<S>::truncate(int row, int length) {
    int& held = lengths_[static_cast<std::size_t>(row)];
    held = std::clamp(length, 0, held);
}

template <typename S>
S* CpuCache<S>::keys_at(int layer, int row, int kv_head) const {
    const std::int64_t index = (static_cast<std::int64_t>(layer) * rows() + row) * kv_heads_ + kv_head;
    return memory_.data() + index * 2 * shape_.elements();
}

template <typename S>
void CpuCache<S>::append(int layer, int row, const S* k, const S* v, int count) {
    const std::int64_t stride = static_cast<std::int64_t>(kv_heads_) * shape_.d_head;
    for (int head = 0; head < kv_heads_; ++head) {
        S* keys = keys_at(layer, row, head);
        const std::int64_t column = static_cast<std::int64_t>(head) * shape_.d_head;
        store_keys(shape_, k + column, stride, length(row), count, keys);
        store_values(shape_, v + column, stride, length(row), count, keys + shape_.elements());
    }
}

template <typename S>
HeadTiles<S> CpuCache<S>::head(int layer, int row, int kv_head) const {
    const S* keys = keys_at(layer, row, kv_head);
    return {shape_, keys, keys + shape_.elements()};
}

template TileShape TileShape::of<float>(int, std::int64_t);
template TileShape TileShape::of<double>(int, std::int64_t);
template void store_keys(const TileShape&, const float*, std::int64_t, std::int64_t, std::int64_t, float*);
template void store_keys(const TileShape&, const double*, std::int64_t, std::int64_t, std::int64_t, double*);
template void store_values(const TileShape&, const float*, std::int64_t, std::int64_t, std::int64_t, float*);
template void store_values(const TileShape&, const double*, std::int64_t, std::int64_t, std::int64_t,
                           double*);
template class CpuCache<float>;
template class CpuCache<double>;

} // namespace vitrine::backend::cpu
