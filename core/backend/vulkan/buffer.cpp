#include "core/backend/vulkan/buffer.h"

#include <algorithm>

#include <fmt/format.h>

#include "core/backend/vulkan/device.h"

namespace vitrine::backend::vulkan {

Result<Buffer> Buffer::create(const Device& device, std::uint64_t bytes, Where where) {
    const DeviceApi& api = device.api();
    Buffer result;
    result.device_ = &device;
    result.bytes_ = (std::max<std::uint64_t>(bytes, 16) + 15) / 16 * 16;
    const VkBufferCreateInfo info{
        .sType = VK_STRUCTURE_TYPE_BUFFER_CREATE_INFO,
        .size = result.bytes_,
        .usage = VK_BUFFER_USAGE_STORAGE_BUFFER_BIT | VK_BUFFER_USAGE_UNIFORM_TEXEL_BUFFER_BIT |
                 VK_BUFFER_USAGE_TRANSFER_SRC_BIT | VK_BUFFER_USAGE_TRANSFER_DST_BIT,
        .sharingMode = VK_SHARING_MODE_EXCLUSIVE};
    const std::string doing = fmt::format("reserving {} MiB", (result.bytes_ >> 20) + 1);
    VITRINE_VK(api.CreateBuffer(device.handle(), &info, nullptr, &result.buffer_), doing);
    VkMemoryRequirements needs;
    api.GetBufferMemoryRequirements(device.handle(), result.buffer_, &needs);
    VITRINE_ASSIGN(const std::uint32_t type, device.memory_type(needs.memoryTypeBits, where));
    const VkMemoryAllocateInfo allocation{.sType = VK_STRUCTURE_TYPE_MEMORY_ALLOCATE_INFO,
                                          .allocationSize = needs.size,
                                          .memoryTypeIndex = type};
    if (needs.size > device.caps().max_allocation)
        return tl::unexpected(vulkan_error(VK_ERROR_OUT_OF_DEVICE_MEMORY, doing));
    VITRINE_VK(api.AllocateMemory(device.handle(), &allocation, nullptr, &result.memory_), doing);
    VITRINE_VK(api.BindBufferMemory(device.handle(), result.buffer_, result.memory_, 0), doing);
    if (where == Where::host || device.caps().host_visible) {
        void* address = nullptr;
        VITRINE_VK(api.MapMemory(device.handle(), result.memory_, 0, VK_WHOLE_SIZE, 0, &address), doing);
        result.mapped_ = static_cast<std::byte*>(address);
    }
    return result;
}

Buffer& Buffer::operator=(Buffer&& other) noexcept {
    if (this == &other) return *this;
    reset();
    device_ = std::exchange(other.device_, nullptr);
    buffer_ = std::exchange(other.buffer_, VK_NULL_HANDLE);
    memory_ = std::exchange(other.memory_, VK_NULL_HANDLE);
    mapped_ = std::exchange(other.mapped_, nullptr);
    bytes_ = std::exchange(other.bytes_, 0);
    views_ = std::exchange(other.views_, {});
    return *this;
}

Result<VkBufferView> Buffer::texels(std::uint64_t offset, std::uint64_t bytes) const {
    const std::pair key{offset, bytes};
    if (const auto found = views_.find(key); found != views_.end()) return found->second;
    if (bytes / 16 > device_->caps().max_texels)
        return fail(Code::too_large,
                    fmt::format("A value of {} MiB does not fit a texel buffer of {}; use --device "
                                "cpu.",
                                bytes >> 20, device_->caps().name));
    const VkBufferViewCreateInfo info{.sType = VK_STRUCTURE_TYPE_BUFFER_VIEW_CREATE_INFO,
                                      .buffer = buffer_,
                                      .format = VK_FORMAT_R32G32B32A32_SFLOAT,
                                      .offset = offset,
                                      .range = bytes};
    VkBufferView view = VK_NULL_HANDLE;
    VITRINE_VK(device_->api().CreateBufferView(device_->handle(), &info, nullptr, &view), "viewing a buffer");
    views_.emplace(key, view);
    return view;
}

void Buffer::drop_views() const {
    for (const auto& [key, view] : views_)
        device_->api().DestroyBufferView(device_->handle(), view, nullptr);
    views_.clear();
}

void Buffer::reset() {
    if (!device_ || process_is_ending()) return;
    drop_views();
    if (buffer_) device_->api().DestroyBuffer(device_->handle(), buffer_, nullptr);
    if (memory_) device_->api().FreeMemory(device_->handle(), memory_, nullptr);
    buffer_ = VK_NULL_HANDLE;
    memory_ = VK_NULL_HANDLE;
    device_ = nullptr;
}

} // namespace vitrine::backend::vulkan
