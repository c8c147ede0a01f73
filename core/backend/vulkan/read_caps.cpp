#include "core/backend/vulkan/read_caps.h"

#include <algorithm>
#include <cstdlib>
#include <cstring>

#include <fmt/format.h>

namespace vitrine::backend::vulkan {

namespace {

DeviceType device_type(VkPhysicalDeviceType type) {
    switch (type) {
    case VK_PHYSICAL_DEVICE_TYPE_DISCRETE_GPU:
    case VK_PHYSICAL_DEVICE_TYPE_VIRTUAL_GPU:
        return DeviceType::discrete;
    case VK_PHYSICAL_DEVICE_TYPE_CPU:
        return DeviceType::software;
    default:
        return DeviceType::integrated;
    }
}

void read_memory(const InstanceApi& api, Adapter& adapter) {
    VkPhysicalDeviceMemoryProperties memory;
    api.GetPhysicalDeviceMemoryProperties(adapter.handle, &memory);
    for (std::uint32_t i = 0; i < memory.memoryHeapCount; ++i)
        if (memory.memoryHeaps[i].flags & VK_MEMORY_HEAP_DEVICE_LOCAL_BIT)
            adapter.caps.memory_bytes = std::max(adapter.caps.memory_bytes, memory.memoryHeaps[i].size);
    // Uncached device memory reads back at a crawl; only cached memory makes staging superfluous.
    constexpr VkMemoryPropertyFlags direct =
        VK_MEMORY_PROPERTY_DEVICE_LOCAL_BIT | VK_MEMORY_PROPERTY_HOST_VISIBLE_BIT |
        VK_MEMORY_PROPERTY_HOST_COHERENT_BIT | VK_MEMORY_PROPERTY_HOST_CACHED_BIT;
    for (std::uint32_t i = 0; i < memory.memoryTypeCount; ++i)
        if ((memory.memoryTypes[i].propertyFlags & direct) == direct) adapter.caps.host_visible = true;
}

bool has_extension(const InstanceApi& api, VkPhysicalDevice handle, const char* name) {
    std::uint32_t count = 0;
    if (api.EnumerateDeviceExtensionProperties(handle, nullptr, &count, nullptr) < 0) return false;
    std::vector<VkExtensionProperties> extensions(count);
    if (api.EnumerateDeviceExtensionProperties(handle, nullptr, &count, extensions.data()) < 0) return false;
    return std::any_of(extensions.begin(), extensions.end(), [&](const auto& extension) {
        return std::strcmp(extension.extensionName, name) == 0;
    });
}

bool find_queue(const InstanceApi& api, Adapter& adapter) {
    std::uint32_t count = 0;
    api.GetPhysicalDeviceQueueFamilyProperties(adapter.handle, &count, nullptr);
    std::vector<VkQueueFamilyProperties> families(count);
    api.GetPhysicalDeviceQueueFamilyProperties(adapter.handle, &count, families.data());
    for (std::uint32_t i = 0; i < count; ++i)
        if (families[i].queueFlags & VK_QUEUE_COMPUTE_BIT) {
            adapter.queue_family = i;
            return true;
        }
    return false;
}

/// For tests on machines without a graphics card: a software device is treated as one, with its kernels and
/// its staging.
bool pretends_to_be_a_card() {
    const char* value = std::getenv("VITRINE_VULKAN_PRETEND");
    return value && std::strcmp(value, "card") == 0;
}

} // namespace

Adapter read_adapter(const InstanceApi& api, VkPhysicalDevice handle) {
    Adapter adapter;
    adapter.handle = handle;
    DeviceCaps& caps = adapter.caps;

    VkPhysicalDeviceVulkan13Properties properties13{
        .sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_VULKAN_1_3_PROPERTIES};
    VkPhysicalDeviceVulkan12Properties properties12{
        .sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_VULKAN_1_2_PROPERTIES};
    VkPhysicalDeviceVulkan11Properties properties11{
        .sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_VULKAN_1_1_PROPERTIES};
    VkPhysicalDeviceProperties2 properties{.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_PROPERTIES_2};
    api.GetPhysicalDeviceProperties2(handle, &properties);
    const VkPhysicalDeviceProperties& core = properties.properties;
    caps.name = core.deviceName;
    caps.api = core.apiVersion;
    caps.type = device_type(core.deviceType);
    read_memory(api, adapter);
    if (core.apiVersion < VK_API_VERSION_1_3) {
        caps.refused =
            fmt::format("{} speaks Vulkan {}, and 1.3 is needed.", caps.name, version_name(caps.api));
        return adapter;
    }

    properties.pNext = &properties11;
    properties11.pNext = &properties12;
    properties12.pNext = &properties13;
    api.GetPhysicalDeviceProperties2(handle, &properties);
    const VkPhysicalDeviceLimits& limits = properties.properties.limits;
    caps.driver = fmt::format("{} {}", properties12.driverName, properties12.driverInfo);
    caps.subgroup = properties11.subgroupSize;
    constexpr VkSubgroupFeatureFlags needed =
        VK_SUBGROUP_FEATURE_BASIC_BIT | VK_SUBGROUP_FEATURE_ARITHMETIC_BIT | VK_SUBGROUP_FEATURE_SHUFFLE_BIT;
    const bool subgroups = (properties11.subgroupSupportedStages & VK_SHADER_STAGE_COMPUTE_BIT) &&
                           (properties11.subgroupSupportedOperations & needed) == needed;
    caps.shared_bytes = limits.maxComputeSharedMemorySize;
    caps.max_group = limits.maxComputeWorkGroupInvocations;
    caps.max_storage_range = limits.maxStorageBufferRange;
    caps.max_texels = limits.maxTexelBufferElements;
    caps.max_allocation = properties11.maxMemoryAllocationSize;
    caps.storage_alignment = static_cast<std::uint32_t>(limits.minStorageBufferOffsetAlignment);
    caps.texel_alignment = static_cast<std::uint32_t>(limits.minTexelBufferOffsetAlignment);

    VkPhysicalDeviceVulkan13Features features13{.sType =
                                                    VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_VULKAN_1_3_FEATURES};
    VkPhysicalDeviceVulkan12Features features12{
        .sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_VULKAN_1_2_FEATURES, .pNext = &features13};
    VkPhysicalDeviceVulkan11Features features11{
        .sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_VULKAN_1_1_FEATURES, .pNext = &features12};
    VkPhysicalDeviceFeatures2 features{.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_FEATURES_2,
                                       .pNext = &features11};
    api.GetPhysicalDeviceFeatures2(handle, &features);
    caps.float16 = features12.shaderFloat16;
    caps.storage16 = features11.storageBuffer16BitAccess;
    caps.subgroup_control = features13.subgroupSizeControl && features13.computeFullSubgroups &&
                            (properties13.requiredSubgroupSizeStages & VK_SHADER_STAGE_COMPUTE_BIT);

    if (pretends_to_be_a_card()) {
        caps.type = DeviceType::discrete;
        caps.host_visible = false;
    }

    if (!find_queue(api, adapter)) caps.refused = fmt::format("{} has no queue for compute.", caps.name);
    if (!subgroups)
        caps.refused = fmt::format("{} lacks the subgroup operations that the kernels need.", caps.name);
    if (!caps.subgroup_control)
        caps.refused = fmt::format("{} cannot fix the size of its subgroups; update its driver.", caps.name);
    if (!features12.timelineSemaphore || !features13.maintenance4 || !features13.synchronization2)
        caps.refused =
            fmt::format("{} lacks timeline semaphores, maintenance4 or synchronization2.", caps.name);
    if (!has_extension(api, handle, VK_KHR_PUSH_DESCRIPTOR_EXTENSION_NAME))
        caps.refused = fmt::format("{} lacks VK_KHR_push_descriptor; update its driver.", caps.name);
    return adapter;
}

std::string version_name(std::uint32_t version) {
    return fmt::format("{}.{}.{}", VK_API_VERSION_MAJOR(version), VK_API_VERSION_MINOR(version),
                       VK_API_VERSION_PATCH(version));
}

} // namespace vitrine::backend::vulkan
