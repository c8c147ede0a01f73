// A Vulkan layer for tests: a function of the device fails from a call on, as it does where a driver has lost
// the device or has no memory left. VITRINE_TEST_FAILURE is "FUNCTION CALLS RESULT": so many calls go well
// first.
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>

#include <vulkan/vk_layer.h>

namespace {

/// What was asked for. One device at a time is enough here.
struct Failure {
    std::string function;
    long calls_left = 0;
    VkResult result = VK_SUCCESS;

    Failure() {
        const char* text = std::getenv("VITRINE_TEST_FAILURE");
        if (text == nullptr) return;
        char name[64] = {};
        long calls = 0;
        int code = 0;
        if (std::sscanf(text, "%63s %ld %d", name, &calls, &code) != 3) return;
        function = name;
        calls_left = calls;
        result = static_cast<VkResult>(code);
    }
    bool strikes() { return calls_left-- <= 0; }
};

Failure& failure() {
    static Failure failure;
    return failure;
}

PFN_vkGetInstanceProcAddr next_instance = nullptr;
PFN_vkGetDeviceProcAddr next_device = nullptr;
VkInstance last_instance = VK_NULL_HANDLE;
PFN_vkQueueSubmit2 submit = nullptr;
PFN_vkWaitSemaphores wait = nullptr;
PFN_vkAllocateMemory allocate = nullptr;

VKAPI_ATTR VkResult VKAPI_CALL failing_submit(VkQueue queue, std::uint32_t count,
                                              const VkSubmitInfo2* submits, VkFence fence) {
    return failure().strikes() ? failure().result : submit(queue, count, submits, fence);
}

VKAPI_ATTR VkResult VKAPI_CALL failing_wait(VkDevice device, const VkSemaphoreWaitInfo* info,
                                            std::uint64_t timeout) {
    const VkResult result = wait(device, info, timeout);
    return failure().strikes() ? failure().result : result;
}

VKAPI_ATTR VkResult VKAPI_CALL failing_allocate(VkDevice device, const VkMemoryAllocateInfo* info,
                                                const VkAllocationCallbacks* callbacks,
                                                VkDeviceMemory* memory) {
    return failure().strikes() ? failure().result : allocate(device, info, callbacks, memory);
}

/// The loader hands each layer the next one's functions in a chain of structures.
template <typename Link>
Link* link_of(const void* chain, VkStructureType type) {
    auto* link = static_cast<Link*>(const_cast<void*>(chain));
    while (link != nullptr && (link->sType != type || link->function != VK_LAYER_LINK_INFO))
        link = static_cast<Link*>(const_cast<void*>(link->pNext));
    return link;
}

VKAPI_ATTR VkResult VKAPI_CALL create_instance(const VkInstanceCreateInfo* info,
                                               const VkAllocationCallbacks* callbacks, VkInstance* instance) {
    auto* link =
        link_of<VkLayerInstanceCreateInfo>(info->pNext, VK_STRUCTURE_TYPE_LOADER_INSTANCE_CREATE_INFO);
    if (link == nullptr) return VK_ERROR_INITIALIZATION_FAILED;
    next_instance = link->u.pLayerInfo->pfnNextGetInstanceProcAddr;
    link->u.pLayerInfo = link->u.pLayerInfo->pNext;
    const auto create = reinterpret_cast<PFN_vkCreateInstance>(next_instance(nullptr, "vkCreateInstance"));
    const VkResult result = create(info, callbacks, instance);
    last_instance = *instance;
    return result;
}

VKAPI_ATTR VkResult VKAPI_CALL create_device(VkPhysicalDevice physical, const VkDeviceCreateInfo* info,
                                             const VkAllocationCallbacks* callbacks, VkDevice* device) {
    auto* link = link_of<VkLayerDeviceCreateInfo>(info->pNext, VK_STRUCTURE_TYPE_LOADER_DEVICE_CREATE_INFO);
    if (link == nullptr) return VK_ERROR_INITIALIZATION_FAILED;
    next_device = link->u.pLayerInfo->pfnNextGetDeviceProcAddr;
    link->u.pLayerInfo = link->u.pLayerInfo->pNext;
    const auto create = reinterpret_cast<PFN_vkCreateDevice>(next_instance(last_instance, "vkCreateDevice"));
    const VkResult result = create(physical, info, callbacks, device);
    if (result != VK_SUCCESS) return result;
    submit = reinterpret_cast<PFN_vkQueueSubmit2>(next_device(*device, "vkQueueSubmit2"));
    wait = reinterpret_cast<PFN_vkWaitSemaphores>(next_device(*device, "vkWaitSemaphores"));
    allocate = reinterpret_cast<PFN_vkAllocateMemory>(next_device(*device, "vkAllocateMemory"));
    return result;
}

template <typename Function>
PFN_vkVoidFunction as_any(Function* function) {
    return reinterpret_cast<PFN_vkVoidFunction>(function);
}

VKAPI_ATTR PFN_vkVoidFunction VKAPI_CALL device_function(VkDevice device, const char* name) {
    if (failure().function == name) {
        if (failure().function == "vkQueueSubmit2") return as_any(failing_submit);
        if (failure().function == "vkWaitSemaphores") return as_any(failing_wait);
        if (failure().function == "vkAllocateMemory") return as_any(failing_allocate);
    }
    if (std::strcmp(name, "vkGetDeviceProcAddr") == 0) return as_any(device_function);
    return next_device != nullptr ? next_device(device, name) : nullptr;
}

VKAPI_ATTR PFN_vkVoidFunction VKAPI_CALL instance_function(VkInstance instance, const char* name) {
    if (std::strcmp(name, "vkCreateInstance") == 0) return as_any(create_instance);
    if (std::strcmp(name, "vkCreateDevice") == 0) return as_any(create_device);
    if (std::strcmp(name, "vkGetInstanceProcAddr") == 0) return as_any(instance_function);
    if (std::strcmp(name, "vkGetDeviceProcAddr") == 0) return as_any(device_function);
    return next_instance != nullptr ? next_instance(instance, name) : nullptr;
}

} // namespace

extern "C" VKAPI_ATTR VkResult VKAPI_CALL
vkNegotiateLoaderLayerInterfaceVersion(VkNegotiateLayerInterface* interface) {
    if (interface->loaderLayerInterfaceVersion < 2) return VK_ERROR_INITIALIZATION_FAILED;
    interface->loaderLayerInterfaceVersion = 2;
    interface->pfnGetInstanceProcAddr = instance_function;
    interface->pfnGetDeviceProcAddr = device_function;
    interface->pfnGetPhysicalDeviceProcAddr = nullptr;
    return VK_SUCCESS;
}
