#pragma once
// Compute kernels: what is compiled, and the compiled thing.
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/backend/vulkan/api.h"

namespace vitrine::backend::vulkan {

/// A kernel and the constants it is compiled with.
struct KernelSpec {
    std::string_view shader;              ///< a name in shaders.h
    std::string_view bindings;            ///< one letter a binding: S storage buffer, T texels of four floats
    std::uint32_t push_bytes = 0;         ///< of push constants
    std::vector<std::uint32_t> constants; ///< specialisation constants 0, 1, …
    bool lock_step = false;               ///< the work-group is one full subgroup of the device's size

    std::string key() const;
};

struct Pipeline {
    VkPipeline pipeline = VK_NULL_HANDLE;
    VkPipelineLayout layout = VK_NULL_HANDLE;
    VkDescriptorSetLayout set = VK_NULL_HANDLE;
    std::string bindings;
    std::uint32_t push_bytes = 0;
};

class Device;

/// Compiles; `cache` may be null.
Result<Pipeline> compile(const Device& device, const KernelSpec& spec, VkPipelineCache cache);
void destroy(const Device& device, const Pipeline& pipeline);

} // namespace vitrine::backend::vulkan
