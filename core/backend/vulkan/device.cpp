#include "core/backend/vulkan/device.h"

#include <algorithm>
#include <cstring>

#include <fmt/format.h>

namespace vitrine::backend::vulkan {

namespace {

constexpr std::uint64_t staging_bytes = std::uint64_t{64} << 20;

} // namespace

Result<std::shared_ptr<Device>> Device::create(std::shared_ptr<Instance> instance, std::size_t adapter) {
    const auto& adapters = instance->adapters();
    if (adapter >= adapters.size())
        return fail(Code::not_found,
                    fmt::format("There is no Vulkan device {}; `devices` lists them.", adapter));
    if (!adapters[adapter].caps.usable()) return fail(Code::unsupported, adapters[adapter].caps.refused);
    std::shared_ptr<Device> device(new Device);
    device->instance_ = std::move(instance);
    device->adapter_ = adapters[adapter];
    VITRINE_TRY(device->open());
    return device;
}

Status Device::open() {
    const float priority = 1;
    const VkDeviceQueueCreateInfo queue{.sType = VK_STRUCTURE_TYPE_DEVICE_QUEUE_CREATE_INFO,
                                        .queueFamilyIndex = adapter_.queue_family,
                                        .queueCount = 1,
                                        .pQueuePriorities = &priority};
    const DeviceCaps& caps = adapter_.caps;
    VkPhysicalDeviceVulkan13Features features13{.sType =
                                                    VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_VULKAN_1_3_FEATURES,
                                                .subgroupSizeControl = caps.subgroup_control,
                                                .computeFullSubgroups = caps.subgroup_control,
                                                .synchronization2 = VK_TRUE,
                                                .maintenance4 = VK_TRUE};
    VkPhysicalDeviceVulkan12Features features12{.sType =
                                                    VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_VULKAN_1_2_FEATURES,
                                                .pNext = &features13,
                                                .shaderFloat16 = caps.float16,
                                                .timelineSemaphore = VK_TRUE};
    VkPhysicalDeviceVulkan11Features features11{.sType =
                                                    VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_VULKAN_1_1_FEATURES,
                                                .pNext = &features12,
                                                .storageBuffer16BitAccess = caps.storage16};
    const VkPhysicalDeviceFeatures2 features{.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_FEATURES_2,
                                             .pNext = &features11};
    const char* extension = VK_KHR_PUSH_DESCRIPTOR_EXTENSION_NAME;
    const VkDeviceCreateInfo info{.sType = VK_STRUCTURE_TYPE_DEVICE_CREATE_INFO,
                                  .pNext = &features,
                                  .queueCreateInfoCount = 1,
                                  .pQueueCreateInfos = &queue,
                                  .enabledExtensionCount = 1,
                                  .ppEnabledExtensionNames = &extension};
    const std::string doing = fmt::format("opening {}", caps.name);
    VITRINE_VK(instance_->api().CreateDevice(adapter_.handle, &info, nullptr, &device_), doing);
    api_ = load_device_api(instance_->api(), device_);
    api_.GetDeviceQueue(device_, adapter_.queue_family, 0, &queue_);

    const VkCommandPoolCreateInfo pool{.sType = VK_STRUCTURE_TYPE_COMMAND_POOL_CREATE_INFO,
                                       .flags = VK_COMMAND_POOL_CREATE_TRANSIENT_BIT,
                                       .queueFamilyIndex = adapter_.queue_family};
    VITRINE_VK(api_.CreateCommandPool(device_, &pool, nullptr, &pool_), doing);
    const VkSemaphoreTypeCreateInfo timeline{.sType = VK_STRUCTURE_TYPE_SEMAPHORE_TYPE_CREATE_INFO,
                                             .semaphoreType = VK_SEMAPHORE_TYPE_TIMELINE};
    const VkSemaphoreCreateInfo semaphore{.sType = VK_STRUCTURE_TYPE_SEMAPHORE_CREATE_INFO,
                                          .pNext = &timeline};
    VITRINE_VK(api_.CreateSemaphore(device_, &semaphore, nullptr, &timeline_), doing);
    load_cache();
    return {};
}

Device::~Device() {
    if (!device_ || process_is_ending()) return;
    api_.DeviceWaitIdle(device_);
    save_cache();
    staging_ = {};
    for (const auto& [key, pipeline] : pipelines_)
        destroy(*this, pipeline);
    if (cache_) api_.DestroyPipelineCache(device_, cache_, nullptr);
    if (timeline_) api_.DestroySemaphore(device_, timeline_, nullptr);
    if (pool_) api_.DestroyCommandPool(device_, pool_, nullptr); // frees its command buffers
    api_.DestroyDevice(device_, nullptr);
}

Result<std::uint32_t> Device::memory_type(std::uint32_t allowed, Where where) const {
    VkPhysicalDeviceMemoryProperties memory;
    instance_->api().GetPhysicalDeviceMemoryProperties(adapter_.handle, &memory);
    constexpr VkMemoryPropertyFlags local = VK_MEMORY_PROPERTY_DEVICE_LOCAL_BIT;
    constexpr VkMemoryPropertyFlags coherent =
        VK_MEMORY_PROPERTY_HOST_VISIBLE_BIT | VK_MEMORY_PROPERTY_HOST_COHERENT_BIT;
    constexpr VkMemoryPropertyFlags cached = coherent | VK_MEMORY_PROPERTY_HOST_CACHED_BIT;
    const VkMemoryPropertyFlags wanted_device = caps().host_visible ? local | cached : local;
    const VkMemoryPropertyFlags wanted[2] = {where == Where::device ? wanted_device : cached,
                                             where == Where::device ? local : coherent};
    for (VkMemoryPropertyFlags flags : wanted)
        for (std::uint32_t i = 0; i < memory.memoryTypeCount; ++i)
            if ((allowed >> i & 1U) && (memory.memoryTypes[i].propertyFlags & flags) == flags) return i;
    return fail(Code::device, fmt::format("{} offers no memory for buffers; use --device cpu.", caps().name));
}

Result<const Pipeline*> Device::pipeline(const KernelSpec& spec) {
    const std::string key = spec.key();
    if (const auto found = pipelines_.find(key); found != pipelines_.end()) return &found->second;
    VITRINE_ASSIGN(const Pipeline compiled, compile(*this, spec, cache_));
    return &pipelines_.emplace(key, compiled).first->second;
}

void Device::measured(double operations, double seconds) {
    // One slice may hit a compilation or a busy machine: no step larger than fourfold.
    rate_ = std::clamp((rate_ + operations / std::max(seconds, 1e-6)) / 2, rate_ / 4, rate_ * 4);
    rate_ = std::clamp(rate_, 5e8, 1e13);
}

Result<VkCommandBuffer> Device::begin() {
    const VkCommandBufferAllocateInfo allocation{.sType = VK_STRUCTURE_TYPE_COMMAND_BUFFER_ALLOCATE_INFO,
                                                 .commandPool = pool_,
                                                 .level = VK_COMMAND_BUFFER_LEVEL_PRIMARY,
                                                 .commandBufferCount = 1};
    VkCommandBuffer commands = VK_NULL_HANDLE;
    VITRINE_VK(api_.AllocateCommandBuffers(device_, &allocation, &commands), "recording commands");
    const VkCommandBufferBeginInfo begin{.sType = VK_STRUCTURE_TYPE_COMMAND_BUFFER_BEGIN_INFO,
                                         .flags = VK_COMMAND_BUFFER_USAGE_ONE_TIME_SUBMIT_BIT};
    VITRINE_VK(api_.BeginCommandBuffer(commands, &begin), "recording commands");
    return commands;
}

Result<std::uint64_t> Device::submit(VkCommandBuffer commands) {
    VITRINE_VK(api_.EndCommandBuffer(commands), "recording commands");
    const std::uint64_t number = ++submitted_;
    const VkCommandBufferSubmitInfo buffer{.sType = VK_STRUCTURE_TYPE_COMMAND_BUFFER_SUBMIT_INFO,
                                           .commandBuffer = commands};
    const VkSemaphoreSubmitInfo signal{.sType = VK_STRUCTURE_TYPE_SEMAPHORE_SUBMIT_INFO,
                                       .semaphore = timeline_,
                                       .value = number,
                                       .stageMask = VK_PIPELINE_STAGE_2_ALL_COMMANDS_BIT};
    const VkSubmitInfo2 submit{.sType = VK_STRUCTURE_TYPE_SUBMIT_INFO_2,
                               .commandBufferInfoCount = 1,
                               .pCommandBufferInfos = &buffer,
                               .signalSemaphoreInfoCount = 1,
                               .pSignalSemaphoreInfos = &signal};
    VITRINE_VK(api_.QueueSubmit2(queue_, 1, &submit, VK_NULL_HANDLE), "submitting work");
    in_flight_.emplace_back(number, commands);
    return number;
}

Status Device::wait(std::uint64_t number) {
    const VkSemaphoreWaitInfo info{.sType = VK_STRUCTURE_TYPE_SEMAPHORE_WAIT_INFO,
                                   .semaphoreCount = 1,
                                   .pSemaphores = &timeline_,
                                   .pValues = &number};
    VITRINE_VK(api_.WaitSemaphores(device_, &info, UINT64_MAX), "running a kernel");
    std::erase_if(in_flight_, [&](const auto& entry) {
        if (entry.first > number) return false;
        api_.FreeCommandBuffers(device_, pool_, 1, &entry.second);
        return true;
    });
    return {};
}

Status Device::copy(VkBuffer source, std::uint64_t from, VkBuffer target, std::uint64_t to,
                    std::uint64_t bytes) {
    VITRINE_ASSIGN(VkCommandBuffer commands, begin());
    const VkBufferCopy region{from, to, bytes};
    api_.CmdCopyBuffer(commands, source, target, 1, &region);
    const VkMemoryBarrier2 barrier{.sType = VK_STRUCTURE_TYPE_MEMORY_BARRIER_2,
                                   .srcStageMask = VK_PIPELINE_STAGE_2_TRANSFER_BIT,
                                   .srcAccessMask = VK_ACCESS_2_TRANSFER_WRITE_BIT,
                                   .dstStageMask = VK_PIPELINE_STAGE_2_ALL_COMMANDS_BIT,
                                   .dstAccessMask = VK_ACCESS_2_MEMORY_READ_BIT | VK_ACCESS_2_HOST_READ_BIT};
    const VkDependencyInfo dependency{
        .sType = VK_STRUCTURE_TYPE_DEPENDENCY_INFO, .memoryBarrierCount = 1, .pMemoryBarriers = &barrier};
    api_.CmdPipelineBarrier2(commands, &dependency);
    VITRINE_ASSIGN(const std::uint64_t number, submit(commands));
    return wait(number);
}

Result<const Buffer*> Device::staging() {
    if (!staging_) {
        VITRINE_ASSIGN(staging_, Buffer::create(*this, staging_bytes, Where::host));
    }
    return &staging_;
}

Status Device::write(const Buffer& buffer, std::uint64_t unit,
                     const std::function<Status(std::span<std::byte>, std::uint64_t)>& fill) {
    if (unit > staging_bytes && !buffer.mapped())
        return fail(Code::too_large,
                    fmt::format("A part of {} MiB of a weight is larger than the upload of {} takes; "
                                "use --device cpu.",
                                unit >> 20, caps().name));
    if (buffer.mapped()) return fill({buffer.mapped(), buffer.bytes()}, 0);
    VITRINE_ASSIGN(const Buffer* stage, staging());
    const std::uint64_t step = staging_bytes / unit * unit;
    for (std::uint64_t offset = 0; offset < buffer.bytes(); offset += step) {
        const std::uint64_t part = std::min(step, buffer.bytes() - offset);
        VITRINE_TRY(fill({stage->mapped(), part}, offset));
        VITRINE_TRY(copy(stage->handle(), 0, buffer.handle(), offset, part));
    }
    return {};
}

Status Device::read(const Buffer& buffer, std::uint64_t offset, std::span<std::byte> out) {
    if (buffer.mapped()) {
        if (!out.empty()) std::memcpy(out.data(), buffer.mapped() + offset, out.size());
        return {};
    }
    VITRINE_ASSIGN(const Buffer* stage, staging());
    for (std::uint64_t done = 0; done < out.size(); done += staging_bytes) {
        const std::uint64_t part = std::min<std::uint64_t>(staging_bytes, out.size() - done);
        VITRINE_TRY(copy(buffer.handle(), offset + done, stage->handle(), 0, part));
        std::memcpy(out.data() + done, stage->mapped(), part);
    }
    return {};
}

} // namespace vitrine::backend::vulkan
