#include "core/backend/vulkan/pool.h"

#include <algorithm>

namespace vitrine::backend::vulkan {

namespace {

constexpr std::uint64_t block_bytes = std::uint64_t{1} << 20;
constexpr std::uint64_t alignment = 256; // the largest that Vulkan lets a device demand

} // namespace

Result<const Buffer*> GrowingBuffer::reserve(const Device& device, std::uint64_t bytes) {
    if (buffer_ && buffer_.bytes() >= bytes) return &buffer_;
    if (buffer_) outgrown_.push_back(std::move(buffer_));
    buffer_ = {};
    VITRINE_ASSIGN(buffer_, Buffer::create(device, bytes, where_));
    return &buffer_;
}

Result<Slice> Uploads::reserve(std::uint64_t bytes) {
    bytes = (std::max<std::uint64_t>(bytes, 1) + alignment - 1) / alignment * alignment;
    while (block_ < blocks_.size() && used_ + bytes > blocks_[block_]->bytes()) {
        ++block_;
        used_ = 0;
    }
    if (block_ == blocks_.size()) {
        VITRINE_ASSIGN(Buffer block, Buffer::create(device_, std::max(bytes, block_bytes), Where::host));
        blocks_.push_back(std::make_unique<Buffer>(std::move(block)));
        used_ = 0;
    }
    const Slice slice{blocks_[block_].get(), used_, bytes};
    used_ += bytes;
    return slice;
}

void Uploads::reset() {
    // Large blocks held imported activations; only the usual ones are worth keeping.
    std::erase_if(blocks_, [](const auto& block) { return block->bytes() > block_bytes; });
    for (const auto& block : blocks_)
        block->drop_views();
    block_ = 0;
    used_ = 0;
}

std::uint64_t Uploads::bytes() const {
    std::uint64_t sum = 0;
    for (const auto& block : blocks_)
        sum += block->bytes();
    return sum;
}

} // namespace vitrine::backend::vulkan
