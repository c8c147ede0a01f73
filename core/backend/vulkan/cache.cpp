#include "core/backend/vulkan/cache.h"

#include <fmt/format.h>

namespace vitrine::backend::vulkan {

Result<std::unique_ptr<PanelCache>> PanelCache::create(Device& device, const model::ModelSpec& spec, int rows,
                                                       int capacity) {
    auto cache = std::make_unique<PanelCache>();
    cache->capacity_ = capacity;
    cache->lengths_.assign(static_cast<std::size_t>(rows), 0);
    cache->shape_ = panel_shape(device.caps(), spec.kv_heads, spec.d_head, capacity);
    const PanelShape& shape = cache->shape_;
    const std::uint64_t key_bytes = shape.key_bytes(static_cast<std::uint64_t>(rows) * shape.keys());
    const std::uint64_t value_bytes = shape.value_bytes(static_cast<std::uint64_t>(rows) * shape.values());
    if (std::max(key_bytes, value_bytes) > device.caps().max_storage_range)
        return fail(
            Code::out_of_memory,
            fmt::format(
                "A cache of {} rows of {} tokens needs {} MiB a layer, and {} binds {} MiB at once; use "
                "fewer rows or a shorter text.",
                rows, capacity, std::max(key_bytes, value_bytes) >> 20, device.caps().name,
                device.caps().max_storage_range >> 20));
    for (int layer = 0; layer < spec.layers; ++layer) {
        VITRINE_ASSIGN(Buffer keys, Buffer::create(device, key_bytes, Where::device));
        cache->keys_.push_back(std::move(keys));
        VITRINE_ASSIGN(Buffer values, Buffer::create(device, value_bytes, Where::device));
        cache->values_.push_back(std::move(values));
    }
    return cache;
}

} // namespace vitrine::backend::vulkan
