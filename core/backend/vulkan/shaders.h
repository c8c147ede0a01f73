#pragma once
#include <cstdint>
#include <span>
#include <string_view>

namespace vitrine::backend::vulkan {

/// SPIR-V of a kernel, embedded at build time; empty for an unknown name.
std::span<const std::uint32_t> shader_code(std::string_view name);

} // namespace vitrine::backend::vulkan
