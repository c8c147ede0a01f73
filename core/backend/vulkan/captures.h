#pragma once
#include <vector>

#include "core/backend/backend.h"
#include "core/backend/vulkan/pool.h"
#include "core/backend/vulkan/recorder.h"
#include "core/backend/vulkan/values.h"
#include "core/run/plan.h"

namespace vitrine::backend::vulkan {

/// Values on their way back: copied on the device into a staging buffer and read once at the end, or in
/// between where the plan captures more than the staging buffer holds.
class Captures {
public:
    Captures(Device& device, GrowingBuffer& staging, Recorder& recorder, const run::Plan& plan)
        : device_(device), staging_(staging), recorder_(recorder), plan_(plan) {}

    /// Reserves the staging buffer for the plan's captures.
    Status prepare(const std::vector<ValueLayout>& layouts);

    /// Records the copy of a value to a slot.
    Status capture(const Slice& value, const ValueLayout& layout, int slot);
    /// Waits for the device and moves what was captured into tensors.
    Status collect();

    std::vector<Tensor> take() { return std::move(tensors_); }

private:
    struct Pending {
        std::uint64_t offset;
        const ValueLayout* layout;
        std::size_t slot;
        Shape shape;
    };

    Device& device_;
    GrowingBuffer& staging_;
    Recorder& recorder_;
    const run::Plan& plan_;
    std::uint64_t used_ = 0;
    std::vector<Pending> pending_;
    std::vector<Tensor> tensors_;
};

} // namespace vitrine::backend::vulkan
