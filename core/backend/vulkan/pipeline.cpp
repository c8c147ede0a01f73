#include "core/backend/vulkan/pipeline.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "core/backend/vulkan/device.h"
#include "core/backend/vulkan/shaders.h"

namespace vitrine::backend::vulkan {

std::string KernelSpec::key() const {
    return fmt::format("{}/{}/{}/{}", shader, bindings, fmt::join(constants, ","), lock_step);
}

namespace {

Status compile_into(const Device& device, const KernelSpec& spec, VkPipelineCache cache, Pipeline& out) {
    const DeviceApi& api = device.api();
    const std::string doing = fmt::format("compiling the kernel {}", spec.shader);
    const std::span<const std::uint32_t> code = shader_code(spec.shader);
    if (code.empty()) return fail(Code::internal, fmt::format("There is no kernel named {}.", spec.shader));

    std::vector<VkDescriptorSetLayoutBinding> bindings;
    for (char kind : spec.bindings)
        bindings.push_back({.binding = static_cast<std::uint32_t>(bindings.size()),
                            .descriptorType = kind == 'T' ? VK_DESCRIPTOR_TYPE_UNIFORM_TEXEL_BUFFER
                                                          : VK_DESCRIPTOR_TYPE_STORAGE_BUFFER,
                            .descriptorCount = 1,
                            .stageFlags = VK_SHADER_STAGE_COMPUTE_BIT});
    const VkDescriptorSetLayoutCreateInfo set{.sType = VK_STRUCTURE_TYPE_DESCRIPTOR_SET_LAYOUT_CREATE_INFO,
                                              .flags =
                                                  VK_DESCRIPTOR_SET_LAYOUT_CREATE_PUSH_DESCRIPTOR_BIT_KHR,
                                              .bindingCount = static_cast<std::uint32_t>(bindings.size()),
                                              .pBindings = bindings.data()};
    VITRINE_VK(api.CreateDescriptorSetLayout(device.handle(), &set, nullptr, &out.set), doing);
    const VkPushConstantRange push{VK_SHADER_STAGE_COMPUTE_BIT, 0, spec.push_bytes};
    const VkPipelineLayoutCreateInfo layout{.sType = VK_STRUCTURE_TYPE_PIPELINE_LAYOUT_CREATE_INFO,
                                            .setLayoutCount = 1,
                                            .pSetLayouts = &out.set,
                                            .pushConstantRangeCount = spec.push_bytes ? 1U : 0U,
                                            .pPushConstantRanges = &push};
    VITRINE_VK(api.CreatePipelineLayout(device.handle(), &layout, nullptr, &out.layout), doing);

    VkShaderModule module = VK_NULL_HANDLE;
    const VkShaderModuleCreateInfo shader{.sType = VK_STRUCTURE_TYPE_SHADER_MODULE_CREATE_INFO,
                                          .codeSize = code.size_bytes(),
                                          .pCode = code.data()};
    VITRINE_VK(api.CreateShaderModule(device.handle(), &shader, nullptr, &module), doing);

    std::vector<VkSpecializationMapEntry> entries;
    for (std::uint32_t i = 0; i < spec.constants.size(); ++i)
        entries.push_back({.constantID = i, .offset = i * 4, .size = 4});
    const VkSpecializationInfo constants{.mapEntryCount = static_cast<std::uint32_t>(entries.size()),
                                         .pMapEntries = entries.data(),
                                         .dataSize = spec.constants.size() * 4,
                                         .pData = spec.constants.data()};
    const VkPipelineShaderStageRequiredSubgroupSizeCreateInfo subgroup{
        .sType = VK_STRUCTURE_TYPE_PIPELINE_SHADER_STAGE_REQUIRED_SUBGROUP_SIZE_CREATE_INFO,
        .requiredSubgroupSize = device.caps().subgroup};
    const bool control = spec.lock_step && device.caps().subgroup_control;
    const VkComputePipelineCreateInfo info{
        .sType = VK_STRUCTURE_TYPE_COMPUTE_PIPELINE_CREATE_INFO,
        .flags = VK_PIPELINE_CREATE_DISPATCH_BASE_BIT,
        .stage =
            {.sType = VK_STRUCTURE_TYPE_PIPELINE_SHADER_STAGE_CREATE_INFO,
             .pNext = control ? &subgroup : nullptr,
             .flags =
                 control
                     ? VkPipelineShaderStageCreateFlags{VK_PIPELINE_SHADER_STAGE_CREATE_REQUIRE_FULL_SUBGROUPS_BIT}
                     : 0,
             .stage = VK_SHADER_STAGE_COMPUTE_BIT,
             .module = module,
             .pName = "main",
             .pSpecializationInfo = &constants},
        .layout = out.layout};
    const VkResult compiled =
        api.CreateComputePipelines(device.handle(), cache, 1, &info, nullptr, &out.pipeline);
    api.DestroyShaderModule(device.handle(), module, nullptr);
    VITRINE_VK(compiled, doing);
    return {};
}

} // namespace

Result<Pipeline> compile(const Device& device, const KernelSpec& spec, VkPipelineCache cache) {
    Pipeline pipeline;
    pipeline.bindings = spec.bindings;
    pipeline.push_bytes = spec.push_bytes;
    if (auto status = compile_into(device, spec, cache, pipeline); !status) {
        destroy(device, pipeline);
        return tl::unexpected(std::move(status.error()));
    }
    return pipeline;
}

void destroy(const Device& device, const Pipeline& pipeline) {
    device.api().DestroyPipeline(device.handle(), pipeline.pipeline, nullptr);
    device.api().DestroyPipelineLayout(device.handle(), pipeline.layout, nullptr);
    device.api().DestroyDescriptorSetLayout(device.handle(), pipeline.set, nullptr);
}

} // namespace vitrine::backend::vulkan
