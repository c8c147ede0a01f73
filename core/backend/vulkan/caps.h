#pragma once
// What a Vulkan device can do: plain data, so that choices made from it are testable without a device.
#include <cstdint>
#include <string>

#include "core/backend/backend.h"

namespace vitrine::backend::vulkan {

struct DeviceCaps {
    std::string name;
    std::string driver;    ///< name and version as the driver gives them
    std::uint32_t api = 0; ///< VK_MAKE_API_VERSION
    DeviceType type = DeviceType::integrated;
    std::uint64_t memory_bytes = 0; ///< of the largest device-local heap

    std::uint32_t subgroup = 0;    ///< invocations that run in lock step
    bool subgroup_control = false; ///< a pipeline may require full subgroups of `subgroup`
    std::uint32_t shared_bytes = 0;
    std::uint32_t max_group = 0; ///< invocations of a work-group
    std::uint64_t max_storage_range = 0;
    std::uint64_t max_texels = 0;
    std::uint64_t max_allocation = 0;
    std::uint32_t storage_alignment = 256;
    std::uint32_t texel_alignment = 256;
    bool float16 = false;
    bool storage16 = false;
    bool host_visible = false; ///< device memory that the host reads and writes directly: no staging

    std::string refused; ///< why this program cannot use the device; empty if it can

    bool software() const { return type == DeviceType::software; }
    bool usable() const { return refused.empty(); }
};

} // namespace vitrine::backend::vulkan
