#pragma once
// Device memory that one plan after another uses.
#include <cstring>
#include <span>
#include <vector>

#include "core/backend/vulkan/device.h"

namespace vitrine::backend::vulkan {

/// One buffer that grows. What an outgrown buffer held is lost, but recorded commands may still use it until
/// release().
class GrowingBuffer {
public:
    explicit GrowingBuffer(Where where) : where_(where) {}

    /// A buffer of at least `bytes`.
    Result<const Buffer*> reserve(const Device& device, std::uint64_t bytes);
    /// The commands that used outgrown buffers are done.
    void release() { outgrown_.clear(); }
    std::uint64_t bytes() const { return buffer_ ? buffer_.bytes() : 0; }
    const Buffer& buffer() const { return buffer_; }
    void clear() { buffer_ = {}; }

private:
    Where where_;
    Buffer buffer_;
    std::vector<Buffer> outgrown_;
};

/// Small tables that the host writes and kernels read: token ids, row starts, edits.
class Uploads {
public:
    explicit Uploads(const Device& device) : device_(device) {}

    /// Room for `bytes`, at an offset that suits every binding.
    Result<Slice> reserve(std::uint64_t bytes);
    template <typename T>
    Result<Slice> put(std::span<const T> data) {
        VITRINE_ASSIGN(const Slice slice, reserve(data.size_bytes()));
        if (!data.empty()) std::memcpy(slice.buffer->mapped() + slice.offset, data.data(), data.size_bytes());
        return slice;
    }
    /// Starts again from the first block; commands that read it must be done.
    void reset();
    std::uint64_t bytes() const;

private:
    const Device& device_;
    std::vector<std::unique_ptr<Buffer>> blocks_;
    std::size_t block_ = 0;
    std::uint64_t used_ = 0;
};

} // namespace vitrine::backend::vulkan
