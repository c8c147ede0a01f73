#include "core/backend/vulkan/recorder.h"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

namespace vitrine::backend::vulkan {

namespace {

constexpr double slice_seconds = 0.1;
constexpr std::size_t slices_in_flight = 2;

} // namespace

Recorder::Recorder(Device& device, CancelToken cancel) : device_(device), cancel_(std::move(cancel)) {}

Recorder::~Recorder() {
    // Whoever leaves early still owns buffers that the device may be using.
    if (!in_flight_.empty()) static_cast<void>(device_.wait(in_flight_.back().number));
    if (commands_) device_.discard(commands_);
}

void Recorder::fail_with(Error error) {
    if (status_) status_ = tl::unexpected(std::move(error));
}

bool Recorder::ready() {
    if (!status_) return false;
    if (commands_) return true;
    auto commands = device_.begin();
    if (!commands) {
        fail_with(std::move(commands.error()));
        return false;
    }
    commands_ = *commands;
    bound_ = nullptr;
    recorded_ = 0;
    return true;
}

bool Recorder::bind(const Pipeline& pipeline, std::span<const Slice> arguments) {
    std::vector<VkDescriptorBufferInfo> buffers(arguments.size());
    std::vector<VkBufferView> views(arguments.size());
    std::vector<VkWriteDescriptorSet> writes(arguments.size());
    for (std::size_t i = 0; i < arguments.size(); ++i) {
        const Slice& slice = arguments[i];
        VkWriteDescriptorSet& write = writes[i];
        write = {.sType = VK_STRUCTURE_TYPE_WRITE_DESCRIPTOR_SET,
                 .dstBinding = static_cast<std::uint32_t>(i),
                 .descriptorCount = 1};
        if (pipeline.bindings[i] == 'T') {
            auto view = slice.buffer->texels(slice.offset, slice.size());
            if (!view) {
                fail_with(std::move(view.error()));
                return false;
            }
            views[i] = *view;
            write.descriptorType = VK_DESCRIPTOR_TYPE_UNIFORM_TEXEL_BUFFER;
            write.pTexelBufferView = &views[i];
            continue;
        }
        if (slice.size() > device_.caps().max_storage_range) {
            fail_with({Code::too_large,
                       fmt::format(
                           "A value of {} MiB is larger than the {} MiB that {} binds at once; use fewer or "
                           "shorter rows, or --device cpu.",
                           slice.size() >> 20, device_.caps().max_storage_range >> 20, device_.caps().name)});
            return false;
        }
        buffers[i] = {slice.buffer->handle(), slice.offset, slice.size()};
        write.descriptorType = VK_DESCRIPTOR_TYPE_STORAGE_BUFFER;
        write.pBufferInfo = &buffers[i];
    }
    device_.api().CmdPushDescriptorSetKHR(commands_, VK_PIPELINE_BIND_POINT_COMPUTE, pipeline.layout, 0,
                                          static_cast<std::uint32_t>(writes.size()), writes.data());
    return true;
}

void Recorder::dispatch_bytes(const KernelSpec& spec, std::span<const Slice> arguments, const void* push,
                              std::uint32_t push_bytes, Groups groups, double operations) {
    if (std::any_of(groups.begin(), groups.end(), [](std::uint32_t count) { return count == 0; })) return;
    if (!status_) return;
    auto found = device_.pipeline(spec);
    if (!found) return fail_with(std::move(found.error()));
    const Pipeline& pipeline = **found;

    // Cut the longest axis so that each part is worth at most a slice.
    const std::size_t axis =
        static_cast<std::size_t>(std::max_element(groups.begin(), groups.end()) - groups.begin());
    const double slice = slice_seconds * device_.rate();
    const auto parts = static_cast<std::uint32_t>(
        std::clamp(std::ceil(operations / slice), 1.0, static_cast<double>(groups[axis])));
    const std::uint32_t step = (groups[axis] + parts - 1) / parts;
    for (std::uint32_t start = 0; start < groups[axis]; start += step) {
        Groups base{};
        Groups count = groups;
        base[axis] = start;
        count[axis] = std::min(step, groups[axis] - start);
        if (!ready()) return;
        const DeviceApi& api = device_.api();
        if (bound_ != &pipeline)
            api.CmdBindPipeline(commands_, VK_PIPELINE_BIND_POINT_COMPUTE, pipeline.pipeline);
        bound_ = &pipeline;
        if (!bind(pipeline, arguments)) return;
        if (push_bytes)
            api.CmdPushConstants(commands_, pipeline.layout, VK_SHADER_STAGE_COMPUTE_BIT, 0, push_bytes,
                                 push);
        api.CmdDispatchBase(commands_, base[0], base[1], base[2], count[0], count[1], count[2]);
        after(operations * count[axis] / groups[axis]);
    }
}

void Recorder::copy(Slice from, Slice to) {
    if (!ready()) return;
    const VkBufferCopy region{from.offset, to.offset, from.size()};
    device_.api().CmdCopyBuffer(commands_, from.buffer->handle(), to.buffer->handle(), 1, &region);
    after(static_cast<double>(from.size()));
}

void Recorder::fill(Slice to, std::uint32_t word) {
    if (!ready()) return;
    device_.api().CmdFillBuffer(commands_, to.buffer->handle(), to.offset, to.size(), word);
    after(static_cast<double>(to.size()));
}

void Recorder::after(double operations) {
    recorded_ += operations;
    if (!parallel_) barrier();
    if (recorded_ >= slice_seconds * device_.rate())
        if (auto status = flush(); !status) fail_with(std::move(status.error()));
}

void Recorder::end_parallel() {
    parallel_ = false;
    if (commands_ && status_) barrier();
}

void Recorder::barrier() {
    if (!commands_) return;
    const VkMemoryBarrier2 memory{
        .sType = VK_STRUCTURE_TYPE_MEMORY_BARRIER_2,
        .srcStageMask = VK_PIPELINE_STAGE_2_COMPUTE_SHADER_BIT | VK_PIPELINE_STAGE_2_TRANSFER_BIT,
        .srcAccessMask = VK_ACCESS_2_SHADER_WRITE_BIT | VK_ACCESS_2_TRANSFER_WRITE_BIT,
        .dstStageMask = VK_PIPELINE_STAGE_2_COMPUTE_SHADER_BIT | VK_PIPELINE_STAGE_2_TRANSFER_BIT |
                        VK_PIPELINE_STAGE_2_HOST_BIT,
        .dstAccessMask = VK_ACCESS_2_SHADER_READ_BIT | VK_ACCESS_2_SHADER_WRITE_BIT |
                         VK_ACCESS_2_TRANSFER_READ_BIT | VK_ACCESS_2_TRANSFER_WRITE_BIT |
                         VK_ACCESS_2_HOST_READ_BIT};
    const VkDependencyInfo dependency{
        .sType = VK_STRUCTURE_TYPE_DEPENDENCY_INFO, .memoryBarrierCount = 1, .pMemoryBarriers = &memory};
    device_.api().CmdPipelineBarrier2(commands_, &dependency);
}

Status Recorder::flush() {
    if (!commands_) return {};
    VITRINE_TRY(cancel_.check());
    if (parallel_) barrier(); // the next slice must see it
    VITRINE_ASSIGN(const std::uint64_t number, device_.submit(std::exchange(commands_, VK_NULL_HANDLE)));
    in_flight_.push_back({number, recorded_, Clock::now()});
    if (in_flight_.size() > slices_in_flight) VITRINE_TRY(retire());
    return cancel_.check();
}

/// Waits for the oldest slice and learns from the time it took.
Status Recorder::retire() {
    const InFlight slice = in_flight_.front();
    in_flight_.pop_front();
    VITRINE_TRY(device_.wait(slice.number));
    const auto now = Clock::now();
    const double seconds = std::chrono::duration<double>(now - std::max(slice.submitted, last_done_)).count();
    last_done_ = now;
    // Small slices measure the overheads, not the device.
    if (slice.operations >= slice_seconds * device_.rate() / 4) device_.measured(slice.operations, seconds);
    return {};
}

Status Recorder::finish() {
    if (status_) status_ = flush();
    while (!in_flight_.empty())
        if (auto waited = retire(); !waited) fail_with(std::move(waited.error()));
    return status_;
}

} // namespace vitrine::backend::vulkan
