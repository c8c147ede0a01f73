#pragma once
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "core/backend/vulkan/buffer.h"
#include "core/backend/vulkan/instance.h"
#include "core/backend/vulkan/pipeline.h"

namespace vitrine::backend::vulkan {

/// A logical device with one compute queue. One thread uses it at a time.
class Device {
public:
    /// `adapter` indexes instance->adapters().
    static Result<std::shared_ptr<Device>> create(std::shared_ptr<Instance> instance, std::size_t adapter);
    ~Device();
    Device(const Device&) = delete;
    Device& operator=(const Device&) = delete;

    const DeviceApi& api() const { return api_; }
    VkDevice handle() const { return device_; }
    const DeviceCaps& caps() const { return adapter_.caps; }
    const Instance& instance() const { return *instance_; }

    /// The memory type for buffers of `where` among `allowed` (a bit each).
    Result<std::uint32_t> memory_type(std::uint32_t allowed, Where where) const;

    /// The compiled kernel; compiled at first use, from the cache on disk where it holds it.
    Result<const Pipeline*> pipeline(const KernelSpec& spec);

    /// Fills a buffer: `fill(part, offset)` writes the bytes that belong at `offset`. Parts start at
    /// multiples of `unit` bytes, at most 64 MiB. Waits until the data is in place; stops at the first error
    /// of `fill`.
    Status write(const Buffer& buffer, std::uint64_t unit,
                 const std::function<Status(std::span<std::byte>, std::uint64_t)>& fill);
    /// Reads bytes back; waits.
    Status read(const Buffer& buffer, std::uint64_t offset, std::span<std::byte> out);

    /// Floating-point operations a second, as measured so far; decides how much is submitted at once.
    double rate() const { return rate_; }
    void measured(double operations, double seconds);

    Result<VkCommandBuffer> begin();
    /// Ends and submits the commands of begin(); wait() for the number it returns.
    Result<std::uint64_t> submit(VkCommandBuffer commands);
    Status wait(std::uint64_t number);
    /// Drops the commands of begin() that were not submitted.
    void discard(VkCommandBuffer commands) { api_.FreeCommandBuffers(device_, pool_, 1, &commands); }

private:
    Device() = default;
    Status open();
    void load_cache();
    void save_cache() const;
    Status copy(VkBuffer source, std::uint64_t from, VkBuffer target, std::uint64_t to, std::uint64_t bytes);
    Result<const Buffer*> staging();

    std::shared_ptr<Instance> instance_;
    Adapter adapter_;
    VkDevice device_ = VK_NULL_HANDLE;
    VkQueue queue_ = VK_NULL_HANDLE;
    DeviceApi api_;
    VkCommandPool pool_ = VK_NULL_HANDLE;
    VkSemaphore timeline_ = VK_NULL_HANDLE;
    std::uint64_t submitted_ = 0;
    double rate_ = 2e10; ///< what a software device does; a card shows its own within a few slices
    std::vector<std::pair<std::uint64_t, VkCommandBuffer>> in_flight_;
    VkPipelineCache cache_ = VK_NULL_HANDLE;
    std::filesystem::path cache_file_; ///< where it is kept on disk; empty for nowhere
    std::size_t cache_bytes_ = 0;      ///< as loaded, to save only what grew
    std::map<std::string, Pipeline> pipelines_;
    Buffer staging_;
};

} // namespace vitrine::backend::vulkan
