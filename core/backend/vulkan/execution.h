#pragma once
#include <map>
#include <tuple>

#include "core/backend/vulkan/captures.h"
#include "core/backend/vulkan/pool.h"
#include "core/backend/vulkan/recorder.h"
#include "core/backend/vulkan/values.h"
#include "core/backend/vulkan/weights.h"
#include "core/run/plan.h"

namespace vitrine::backend::vulkan {

class PanelCache;

/// What a model keeps between plans, so that the next plan allocates nothing.
struct WorkingMemory {
    explicit WorkingMemory(const Device& device) : uploads(device) {}

    GrowingBuffer arena{Where::device};
    GrowingBuffer scratch{Where::device};
    GrowingBuffer panels{Where::device}; ///< of a matrix that was widened for one product
    GrowingBuffer staging{Where::host};
    Uploads uploads;
};

/// What a rotation's tables are gathered from: cosines, sines, the line of position 0 by row, the last
/// position, the part of the batch.
using RotationKey = std::tuple<run::ConstantId, run::ConstantId, std::vector<int>, int, int>;

/// A value in device memory.
struct Operand {
    Slice slice;
    const ValueLayout* layout = nullptr;
};

/// One plan on its way through the device: what the ops' record() functions share.
class Execution {
public:
    Execution(Device& device, Weights& weights, WorkingMemory& memory, const run::Plan& plan,
              PanelCache* cache, const CancelToken& cancel)
        : device(device), weights(weights), memory(memory), plan(plan), cache(cache),
          recorder(device, cancel), captures(device, memory.staging, recorder, plan) {}

    Device& device;
    Weights& weights;
    WorkingMemory& memory;
    const run::Plan& plan;
    PanelCache* cache; ///< may be null
    Recorder recorder;
    Captures captures;

    /// Lays the values out and reserves the arena.
    Status prepare();

    Operand value(run::ValueId id) const;
    /// A slice for bindings that a kernel does not touch this time.
    Slice unused() const { return {&memory.arena.buffer(), 0, 16}; }
    /// Memory that the op may use until it is recorded; the next op may overwrite it.
    Result<Slice> scratch(std::uint64_t bytes);
    template <typename T>
    Result<Slice> upload(const std::vector<T>& data) {
        return memory.uploads.put(std::span<const T>(data));
    }
    /// The bias as padded blocks, or an unused slice for no weight.
    Result<Slice> bias(model::WeightId id, int heads);

    /// Kernels over flat arrays (grid.glsl): work-groups for `items`.
    static Groups grid(std::uint64_t items);

    /// Rotation tables gathered for the batch's positions.
    std::map<RotationKey, std::pair<Slice, Slice>> rotations;
    /// Biases of keys [heads, keys padded to 4], by their constant.
    std::map<run::ConstantId, Slice> key_biases;

private:
    std::vector<ValueLayout> layouts_;
    std::vector<Slice> slices_;
};

} // namespace vitrine::backend::vulkan
