#pragma once
// Vulkan's functions, found at run time: the program starts and lists its devices without a loader.
#define VK_NO_PROTOTYPES
#include <vulkan/vulkan.h>

#include "core/base/result.h"

namespace vitrine::backend::vulkan {

#define VITRINE_VK_GLOBAL(X)                                                                                 \
    X(EnumerateInstanceVersion)                                                                              \
    X(EnumerateInstanceLayerProperties)                                                                      \
    X(EnumerateInstanceExtensionProperties)                                                                  \
    X(CreateInstance)

#define VITRINE_VK_INSTANCE(X)                                                                               \
    X(DestroyInstance)                                                                                       \
    X(EnumeratePhysicalDevices)                                                                              \
    X(EnumerateDeviceExtensionProperties)                                                                    \
    X(GetPhysicalDeviceProperties2)                                                                          \
    X(GetPhysicalDeviceFeatures2)                                                                            \
    X(GetPhysicalDeviceMemoryProperties)                                                                     \
    X(GetPhysicalDeviceQueueFamilyProperties)                                                                \
    X(CreateDevice)                                                                                          \
    X(GetDeviceProcAddr)

#define VITRINE_VK_DEVICE(X)                                                                                 \
    X(DestroyDevice)                                                                                         \
    X(GetDeviceQueue)                                                                                        \
    X(DeviceWaitIdle)                                                                                        \
    X(QueueSubmit2)                                                                                          \
    X(CreateSemaphore)                                                                                       \
    X(DestroySemaphore)                                                                                      \
    X(WaitSemaphores)                                                                                        \
    X(CreateBuffer)                                                                                          \
    X(DestroyBuffer)                                                                                         \
    X(GetBufferMemoryRequirements)                                                                           \
    X(AllocateMemory)                                                                                        \
    X(FreeMemory)                                                                                            \
    X(BindBufferMemory)                                                                                      \
    X(MapMemory)                                                                                             \
    X(CreateBufferView)                                                                                      \
    X(DestroyBufferView)                                                                                     \
    X(CreateShaderModule)                                                                                    \
    X(DestroyShaderModule)                                                                                   \
    X(CreateDescriptorSetLayout)                                                                             \
    X(DestroyDescriptorSetLayout)                                                                            \
    X(CreatePipelineLayout)                                                                                  \
    X(DestroyPipelineLayout)                                                                                 \
    X(CreatePipelineCache)                                                                                   \
    X(DestroyPipelineCache)                                                                                  \
    X(GetPipelineCacheData)                                                                                  \
    X(CreateComputePipelines)                                                                                \
    X(DestroyPipeline)                                                                                       \
    X(CreateCommandPool)                                                                                     \
    X(DestroyCommandPool)                                                                                    \
    X(AllocateCommandBuffers)                                                                                \
    X(FreeCommandBuffers)                                                                                    \
    X(BeginCommandBuffer)                                                                                    \
    X(EndCommandBuffer)                                                                                      \
    X(CmdBindPipeline)                                                                                       \
    X(CmdPushConstants)                                                                                      \
    X(CmdPushDescriptorSetKHR)                                                                               \
    X(CmdDispatchBase)                                                                                       \
    X(CmdCopyBuffer)                                                                                         \
    X(CmdFillBuffer)                                                                                         \
    X(CmdPipelineBarrier2)

/// The loader's entry points that need no instance.
struct GlobalApi {
    PFN_vkGetInstanceProcAddr GetInstanceProcAddr = nullptr;
#define X(name) PFN_vk##name name = nullptr;
    VITRINE_VK_GLOBAL(X)
#undef X
};

struct InstanceApi {
#define X(name) PFN_vk##name name = nullptr;
    VITRINE_VK_INSTANCE(X)
#undef X
    PFN_vkCreateDebugUtilsMessengerEXT CreateDebugUtilsMessengerEXT = nullptr; ///< null without the extension
    PFN_vkDestroyDebugUtilsMessengerEXT DestroyDebugUtilsMessengerEXT = nullptr;
};

struct DeviceApi {
#define X(name) PFN_vk##name name = nullptr;
    VITRINE_VK_DEVICE(X)
#undef X
};

/// Opens libvulkan.so.1 once a process; not_found without one.
Result<const GlobalApi*> load_vulkan();
InstanceApi load_instance_api(const GlobalApi& global, VkInstance instance);
DeviceApi load_device_api(const InstanceApi& api, VkDevice device);

/// True once the process runs its exit handlers: drivers and layers take their statics down then, and objects
/// that are still alive must be left to the system.
bool process_is_ending();
/// To be called after each instance's creation, which is what loads drivers and layers.
void drivers_are_loaded();

/// "VK_ERROR_DEVICE_LOST", or the number.
std::string result_name(VkResult result);

/// A failed call as an error a person can act on; `doing` completes "Vulkan failed while …".
Error vulkan_error(VkResult result, const std::string& doing);

} // namespace vitrine::backend::vulkan

/// Returns the error of a Vulkan call from the enclosing function.
#define VITRINE_VK(call, doing)                                                                              \
    do {                                                                                                     \
        if (const VkResult result_ = (call); result_ < 0)                                                    \
            return tl::unexpected(vitrine::backend::vulkan::vulkan_error(result_, doing));                   \
    } while (false)
