#include "core/backend/vulkan/api.h"

#include <atomic>
#include <cstdlib>

#include <dlfcn.h>

#include <fmt/format.h>

namespace vitrine::backend::vulkan {

Result<const GlobalApi*> load_vulkan() {
    // Never closed: drivers keep threads that outlive the last instance.
    static const GlobalApi api = [] {
        GlobalApi found;
        void* library = dlopen("libvulkan.so.1", RTLD_NOW | RTLD_LOCAL);
        if (!library) library = dlopen("libvulkan.so", RTLD_NOW | RTLD_LOCAL);
        if (!library) return found;
        found.GetInstanceProcAddr =
            reinterpret_cast<PFN_vkGetInstanceProcAddr>(dlsym(library, "vkGetInstanceProcAddr"));
        if (!found.GetInstanceProcAddr) return found;
#define X(name) found.name = reinterpret_cast<PFN_vk##name>(found.GetInstanceProcAddr(nullptr, "vk" #name));
        VITRINE_VK_GLOBAL(X)
#undef X
        return found;
    }();
    if (!api.CreateInstance || !api.EnumerateInstanceVersion)
        return fail(
            Code::not_found,
            "There is no Vulkan loader (libvulkan.so.1) on this machine; install libvulkan1 and a driver, "
            "or use --device cpu.");
    return &api;
}

InstanceApi load_instance_api(const GlobalApi& global, VkInstance instance) {
    InstanceApi api;
#define X(name) api.name = reinterpret_cast<PFN_vk##name>(global.GetInstanceProcAddr(instance, "vk" #name));
    VITRINE_VK_INSTANCE(X)
    X(CreateDebugUtilsMessengerEXT)
    X(DestroyDebugUtilsMessengerEXT)
#undef X
    return api;
}

DeviceApi load_device_api(const InstanceApi& instance, VkDevice device) {
    DeviceApi api;
#define X(name) api.name = reinterpret_cast<PFN_vk##name>(instance.GetDeviceProcAddr(device, "vk" #name));
    VITRINE_VK_DEVICE(X)
#undef X
    return api;
}

namespace {

std::atomic<bool> ending{false};

} // namespace

bool process_is_ending() { return ending; }

void drivers_are_loaded() {
    // Handlers run in reverse order: this one before those of the drivers and layers just loaded.
    static_cast<void>(std::atexit([] { ending = true; }));
}

std::string result_name(VkResult result) {
    switch (result) {
#define X(name)                                                                                              \
    case name:                                                                                               \
        return #name;
        X(VK_SUCCESS)
        X(VK_TIMEOUT)
        X(VK_ERROR_OUT_OF_HOST_MEMORY)
        X(VK_ERROR_OUT_OF_DEVICE_MEMORY)
        X(VK_ERROR_INITIALIZATION_FAILED)
        X(VK_ERROR_DEVICE_LOST)
        X(VK_ERROR_MEMORY_MAP_FAILED)
        X(VK_ERROR_LAYER_NOT_PRESENT)
        X(VK_ERROR_EXTENSION_NOT_PRESENT)
        X(VK_ERROR_FEATURE_NOT_PRESENT)
        X(VK_ERROR_INCOMPATIBLE_DRIVER)
        X(VK_ERROR_TOO_MANY_OBJECTS)
        X(VK_ERROR_UNKNOWN)
#undef X
    default:
        return fmt::format("VkResult {}", static_cast<int>(result));
    }
}

Error vulkan_error(VkResult result, const std::string& doing) {
    switch (result) {
    case VK_ERROR_OUT_OF_HOST_MEMORY:
    case VK_ERROR_OUT_OF_DEVICE_MEMORY:
        return {Code::out_of_memory,
                fmt::format(
                    "The Vulkan device ran out of memory while {}; use fewer or shorter rows, capture less, "
                    "or use --device cpu.",
                    doing)};
    case VK_ERROR_DEVICE_LOST:
        return {Code::device,
                fmt::format("The Vulkan device was lost while {} (the driver reset it); run again, or "
                            "use --device cpu.",
                            doing)};
    default:
        return {Code::device,
                fmt::format("Vulkan failed while {} ({}); update the driver or use --device cpu.", doing,
                            result_name(result))};
    }
}

} // namespace vitrine::backend::vulkan
