#pragma once
#include <atomic>
#include <memory>
#include <vector>

#include "core/backend/vulkan/api.h"
#include "core/backend/vulkan/caps.h"

namespace vitrine::backend::vulkan {

/// One physical device as the driver presents it.
struct Adapter {
    VkPhysicalDevice handle = VK_NULL_HANDLE;
    std::uint32_t queue_family = 0;
    DeviceCaps caps;
};

/// The connection to the loader and its drivers. With VITRINE_VULKAN_VALIDATION=1 in the environment the
/// Khronos validation layer watches every call, synchronisation included.
class Instance {
public:
    /// The process's one instance, made on first use and kept to the end. Code device or not_found
    /// without a loader or a driver.
    static Result<std::shared_ptr<Instance>> open();
    ~Instance();
    Instance(const Instance&) = delete;
    Instance& operator=(const Instance&) = delete;

    const InstanceApi& api() const { return api_; }
    const std::vector<Adapter>& adapters() const { return adapters_; }

    bool validating() const { return messenger_ != VK_NULL_HANDLE; }
    /// Warnings and errors of the validation layer so far; each is in the log.
    int validation_messages() const { return messages_.load(); }

private:
    Instance() = default;
    Status create(const GlobalApi& global);
    void enumerate();

    VkInstance instance_ = VK_NULL_HANDLE;
    InstanceApi api_;
    VkDebugUtilsMessengerEXT messenger_ = VK_NULL_HANDLE;
    std::atomic<int> messages_{0};
    std::vector<Adapter> adapters_;
};

} // namespace vitrine::backend::vulkan
