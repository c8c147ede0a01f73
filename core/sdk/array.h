#pragma once
// Arrays of a message as an analysis reads them: float32, row-major, owned by the program.
#include <cstdint>
#include <functional>
#include <numeric>
#include <span>

namespace vitrine::sdk {

/// `view[i]` is the i-th part along the first axis, `view(i, j, …)` an element. Indices are not checked.
class View {
public:
    View() = default;
    View(const float* data, std::span<const std::int64_t> shape) : data_(data), shape_(shape) {}

    int rank() const { return static_cast<int>(shape_.size()); }
    std::int64_t size(int axis) const { return shape_[static_cast<std::size_t>(axis)]; }
    /// Number of elements; 0 for a view of nothing.
    std::int64_t count() const {
        if (data_ == nullptr) return 0;
        return std::accumulate(shape_.begin(), shape_.end(), std::int64_t{1}, std::multiplies<>());
    }

    View operator[](std::int64_t index) const {
        const View part(data_, shape_.subspan(1));
        return {data_ + index * part.count(), part.shape_};
    }

    template <typename... Index>
    float operator()(Index... index) const {
        std::int64_t offset = 0;
        std::size_t axis = 0;
        ((offset = offset * shape_[axis++] + static_cast<std::int64_t>(index)), ...);
        return data_[offset];
    }

    const float* data() const { return data_; }
    const float* begin() const { return data_; }
    const float* end() const { return data_ + count(); }

private:
    const float* data_ = nullptr;
    std::span<const std::int64_t> shape_;
};

} // namespace vitrine::sdk
