#pragma once
#include "core/backend/vulkan/instance.h"

namespace vitrine::backend::vulkan {

/// Asks a physical device for everything in DeviceCaps, and whether this program can use it.
Adapter read_adapter(const InstanceApi& api, VkPhysicalDevice handle);

/// "1.3.230".
std::string version_name(std::uint32_t version);

} // namespace vitrine::backend::vulkan
