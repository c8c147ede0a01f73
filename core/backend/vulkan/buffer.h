#pragma once
#include <cstddef>
#include <cstdint>
#include <map>
#include <utility>

#include "core/backend/vulkan/api.h"

namespace vitrine::backend::vulkan {

class Device;

enum class Where {
    device, ///< fastest for kernels; mapped too if the device's memory is the host's
    host,   ///< mapped, for copies to and from the device
};

/// One allocation of memory as a storage and uniform texel buffer of rgba32f.
class Buffer {
public:
    Buffer() = default;
    Buffer(Buffer&& other) noexcept { *this = std::move(other); }
    Buffer& operator=(Buffer&& other) noexcept;
    Buffer(const Buffer&) = delete;
    Buffer& operator=(const Buffer&) = delete;
    ~Buffer() { reset(); }

    static Result<Buffer> create(const Device& device, std::uint64_t bytes, Where where);

    VkBuffer handle() const { return buffer_; }
    std::uint64_t bytes() const { return bytes_; }
    /// Where the host sees it, or null.
    std::byte* mapped() const { return mapped_; }
    explicit operator bool() const { return buffer_ != VK_NULL_HANDLE; }

    /// A view of four floats a texel over part of the buffer, made once and kept until drop_views().
    Result<VkBufferView> texels(std::uint64_t offset, std::uint64_t bytes) const;
    void drop_views() const;

private:
    void reset();

    const Device* device_ = nullptr;
    VkBuffer buffer_ = VK_NULL_HANDLE;
    VkDeviceMemory memory_ = VK_NULL_HANDLE;
    std::byte* mapped_ = nullptr;
    std::uint64_t bytes_ = 0;
    mutable std::map<std::pair<std::uint64_t, std::uint64_t>, VkBufferView> views_;
};

/// Part of a buffer, as a kernel's argument. `bytes` 0 reaches to the end.
struct Slice {
    const Buffer* buffer = nullptr;
    std::uint64_t offset = 0;
    std::uint64_t bytes = 0;

    std::uint64_t size() const { return bytes ? bytes : buffer->bytes() - offset; }
};

} // namespace vitrine::backend::vulkan
