#pragma once
#include <vector>

#include "core/backend/backend.h"
#include "core/backend/vulkan/attention.h"

namespace vitrine::backend::vulkan {

/// Keys and values of earlier tokens, kept in the panels that attention reads.
class PanelCache : public KvCache {
public:
    static Result<std::unique_ptr<PanelCache>> create(Device& device, const model::ModelSpec& spec, int rows,
                                                      int capacity);

    int length(int row) const override { return lengths_[static_cast<std::size_t>(row)]; }
    void truncate(int row, int length) override {
        auto& held = lengths_[static_cast<std::size_t>(row)];
        held = std::min(held, length);
    }
    void set_length(int row, int length) { lengths_[static_cast<std::size_t>(row)] = length; }

    int rows() const { return static_cast<int>(lengths_.size()); }
    int capacity() const { return capacity_; }
    const PanelShape& shape() const { return shape_; }
    const Buffer& keys(int layer) const { return keys_[static_cast<std::size_t>(layer)]; }
    const Buffer& values(int layer) const { return values_[static_cast<std::size_t>(layer)]; }

private:
    int capacity_ = 0;
    PanelShape shape_; ///< of one row
    std::vector<int> lengths_;
    std::vector<Buffer> keys_, values_; ///< by layer
};

} // namespace vitrine::backend::vulkan
