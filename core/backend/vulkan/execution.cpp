#include "core/backend/vulkan/execution.h"

#include <algorithm>

namespace vitrine::backend::vulkan {

Status Execution::prepare() {
    constexpr std::int64_t align = 64; // floats: 256 bytes, the most that a device may demand of an offset
    std::vector<std::int64_t> elements;
    for (const run::Value& value : plan.values) {
        layouts_.push_back(layout_of(value, plan.batch_of(value)));
        elements.push_back(static_cast<std::int64_t>(layouts_.back().size * 4));
    }
    const run::ArenaLayout arena = run::lay_out(plan, align, elements);
    // At least a little: unused() needs something to bind.
    const auto bytes = std::max<std::uint64_t>(static_cast<std::uint64_t>(arena.elements) * 4, 4096);
    VITRINE_ASSIGN(const Buffer* buffer, memory.arena.reserve(device, bytes));
    for (std::size_t id = 0; id < layouts_.size(); ++id)
        slices_.push_back({buffer,
                           arena.offset[id] < 0 ? 0 : static_cast<std::uint64_t>(arena.offset[id]) * 4,
                           std::max<std::uint64_t>(layouts_[id].bytes(), 16)});
    return captures.prepare(layouts_);
}

Operand Execution::value(run::ValueId id) const {
    const auto index = static_cast<std::size_t>(id);
    return {slices_[index], &layouts_[index]};
}

Result<Slice> Execution::scratch(std::uint64_t bytes) {
    VITRINE_ASSIGN(const Buffer* buffer, memory.scratch.reserve(device, bytes));
    return Slice{buffer, 0, bytes};
}

Result<Slice> Execution::bias(model::WeightId id, int heads) {
    if (id == model::no_weight) return unused();
    return weights.vector(id, heads);
}

Groups Execution::grid(std::uint64_t items) {
    constexpr std::uint64_t row = 32768;
    const std::uint64_t groups = (items + 255) / 256;
    return {static_cast<std::uint32_t>(std::min(groups, row)),
            static_cast<std::uint32_t>((groups + row - 1) / row), 1};
}

} // namespace vitrine::backend::vulkan
