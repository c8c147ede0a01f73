#include "core/backend/vulkan/shaders.h"

#include <array>

namespace vitrine::backend::vulkan {

namespace {

struct Named {
    std::string_view name;
    std::span<const std::uint32_t> code;
};

#include "kernels.inc" // made by CMakeLists.txt: an array of words a kernel, and `kernels`

} // namespace

std::span<const std::uint32_t> shader_code(std::string_view name) {
    for (const Named& kernel : kernels)
        if (kernel.name == name) return kernel.code;
    return {};
}

} // namespace vitrine::backend::vulkan
