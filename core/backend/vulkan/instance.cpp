#include "core/backend/vulkan/instance.h"

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <mutex>

#include <fmt/format.h>

#include "core/backend/vulkan/read_caps.h"
#include "core/base/log.h"

namespace vitrine::backend::vulkan {

namespace {

constexpr const char* validation_layer = "VK_LAYER_KHRONOS_validation";

VKAPI_ATTR VkBool32 VKAPI_CALL on_message(VkDebugUtilsMessageSeverityFlagBitsEXT,
                                          VkDebugUtilsMessageTypeFlagsEXT,
                                          const VkDebugUtilsMessengerCallbackDataEXT* data, void* count) {
    static_cast<std::atomic<int>*>(count)->fetch_add(1);
    spdlog::error("Vulkan validation: {}", data->pMessage ? data->pMessage : "(no text)");
    return VK_FALSE;
}

bool wants_validation() {
    const char* value = std::getenv("VITRINE_VULKAN_VALIDATION");
    return value && std::strcmp(value, "1") == 0;
}

bool has_layer(const GlobalApi& global, const char* name) {
    std::uint32_t count = 0;
    if (global.EnumerateInstanceLayerProperties(&count, nullptr) < 0) return false;
    std::vector<VkLayerProperties> layers(count);
    if (global.EnumerateInstanceLayerProperties(&count, layers.data()) < 0) return false;
    return std::any_of(layers.begin(), layers.end(),
                       [&](const auto& layer) { return std::strcmp(layer.layerName, name) == 0; });
}

} // namespace

Result<std::shared_ptr<Instance>> Instance::open() {
    // Kept to the end: unloading a driver loses memory that it holds, and loading it again takes time.
    static std::mutex mutex;
    static auto& shared = *new std::shared_ptr<Instance>;
    const std::lock_guard lock(mutex);
    if (shared) return shared;
    VITRINE_ASSIGN(const GlobalApi* global, load_vulkan());
    std::shared_ptr<Instance> instance(new Instance);
    VITRINE_TRY(instance->create(*global));
    shared = instance;
    return instance;
}

Status Instance::create(const GlobalApi& global) {
    std::uint32_t version = VK_API_VERSION_1_0;
    VITRINE_VK(global.EnumerateInstanceVersion(&version), "asking for the loader's version");
    if (version < VK_API_VERSION_1_3)
        return fail(Code::unsupported,
                    fmt::format("The Vulkan loader speaks version {}.{}, and 1.3 is needed; update "
                                "it or use --device cpu.",
                                VK_API_VERSION_MAJOR(version), VK_API_VERSION_MINOR(version)));
    const bool validate = wants_validation();
    if (validate && !has_layer(global, validation_layer))
        return fail(Code::not_found,
                    "VITRINE_VULKAN_VALIDATION is set and there is no Khronos validation layer; "
                    "install vulkan-validationlayers or unset it.");

    const VkApplicationInfo application{.sType = VK_STRUCTURE_TYPE_APPLICATION_INFO,
                                        .pApplicationName = "vitrine",
                                        .pEngineName = "vitrine",
                                        .apiVersion = VK_API_VERSION_1_3};
    const VkDebugUtilsMessengerCreateInfoEXT messenger{
        .sType = VK_STRUCTURE_TYPE_DEBUG_UTILS_MESSENGER_CREATE_INFO_EXT,
        .messageSeverity =
            VK_DEBUG_UTILS_MESSAGE_SEVERITY_WARNING_BIT_EXT | VK_DEBUG_UTILS_MESSAGE_SEVERITY_ERROR_BIT_EXT,
        .messageType = VK_DEBUG_UTILS_MESSAGE_TYPE_VALIDATION_BIT_EXT,
        .pfnUserCallback = on_message,
        .pUserData = &messages_};
    const VkValidationFeatureEnableEXT synchronisation =
        VK_VALIDATION_FEATURE_ENABLE_SYNCHRONIZATION_VALIDATION_EXT;
    const VkValidationFeaturesEXT features{.sType = VK_STRUCTURE_TYPE_VALIDATION_FEATURES_EXT,
                                           .pNext = &messenger,
                                           .enabledValidationFeatureCount = 1,
                                           .pEnabledValidationFeatures = &synchronisation};
    const char* extension = VK_EXT_DEBUG_UTILS_EXTENSION_NAME;
    const std::uint32_t used = validate ? 1 : 0;
    const VkInstanceCreateInfo info{.sType = VK_STRUCTURE_TYPE_INSTANCE_CREATE_INFO,
                                    .pNext = validate ? &features : nullptr,
                                    .pApplicationInfo = &application,
                                    .enabledLayerCount = used,
                                    .ppEnabledLayerNames = &validation_layer,
                                    .enabledExtensionCount = used,
                                    .ppEnabledExtensionNames = &extension};
    const VkResult created = global.CreateInstance(&info, nullptr, &instance_);
    if (created == VK_ERROR_INCOMPATIBLE_DRIVER)
        return fail(
            Code::not_found,
            "There is no Vulkan driver on this machine; install mesa-vulkan-drivers or the graphics card's "
            "driver, or use --device cpu.");
    VITRINE_VK(created, "starting Vulkan");
    api_ = load_instance_api(global, instance_);
    if (validate)
        VITRINE_VK(api_.CreateDebugUtilsMessengerEXT(instance_, &messenger, nullptr, &messenger_),
                   "attaching the validation layer");
    enumerate();
    drivers_are_loaded();
    return {};
}

void Instance::enumerate() {
    std::uint32_t count = 0;
    if (api_.EnumeratePhysicalDevices(instance_, &count, nullptr) < 0) return;
    std::vector<VkPhysicalDevice> handles(count);
    if (api_.EnumeratePhysicalDevices(instance_, &count, handles.data()) < 0) return;
    handles.resize(count);
    for (VkPhysicalDevice handle : handles)
        adapters_.push_back(read_adapter(api_, handle));
}

Instance::~Instance() {
    if (process_is_ending()) return;
    if (messenger_) api_.DestroyDebugUtilsMessengerEXT(instance_, messenger_, nullptr);
    if (instance_) api_.DestroyInstance(instance_, nullptr);
}

} // namespace vitrine::backend::vulkan
