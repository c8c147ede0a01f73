#include "core/backend/vulkan/captures.h"

#include <algorithm>

namespace vitrine::backend::vulkan {

namespace {

constexpr std::uint64_t most_staging = std::uint64_t{256} << 20;

} // namespace

Status Captures::prepare(const std::vector<ValueLayout>& layouts) {
    tensors_.resize(static_cast<std::size_t>(plan_.capture_slots));
    std::uint64_t sum = 0;
    std::uint64_t largest = 0;
    for (const run::Op& op : plan_.ops)
        if (const auto* capture = std::get_if<run::Capture>(&op)) {
            const std::uint64_t bytes = layouts[static_cast<std::size_t>(capture->value)].bytes();
            sum += bytes;
            largest = std::max(largest, bytes);
        }
    if (sum == 0) return {};
    VITRINE_TRY(staging_.reserve(device_, std::max(largest, std::min(sum, most_staging))));
    return {};
}

Status Captures::capture(const Slice& value, const ValueLayout& layout, int slot) {
    const auto index = static_cast<std::size_t>(slot);
    Shape shape{static_cast<std::int64_t>(layout.count), layout.heads, layout.width};
    if (layout.kind == run::Layout::pairs) {
        std::int64_t elements = 0;
        for (const PairsRow& row : layout.rows)
            elements += static_cast<std::int64_t>(layout.heads) * row.queries * row.keys;
        shape = {elements};
    }
    if (layout.size == 0) {
        tensors_[index] = Tensor(shape);
        return {};
    }
    if (used_ + layout.bytes() > staging_.bytes()) VITRINE_TRY(collect());
    recorder_.copy(value, {&staging_.buffer(), used_, layout.bytes()});
    pending_.push_back({used_, &layout, index, std::move(shape)});
    used_ += layout.bytes();
    return {};
}

Status Captures::collect() {
    VITRINE_TRY(recorder_.finish());
    for (const Pending& pending : pending_) {
        Tensor& tensor = tensors_[pending.slot];
        tensor = Tensor(pending.shape);
        const auto* data = reinterpret_cast<const float*>(staging_.buffer().mapped() + pending.offset);
        unpad(*pending.layout, {data, pending.layout->size * 4}, tensor.data);
    }
    pending_.clear();
    used_ = 0;
    return {};
}

} // namespace vitrine::backend::vulkan
