#pragma once
// Arrays that travel between rooms: a view of stored elements, and an owned float32 array.
#include <cstddef>
#include <cstdint>
#include <memory>
#include <numeric>
#include <span>
#include <utility>
#include <vector>

#include "core/base/dtype.h"

namespace vitrine {

using Shape = std::vector<std::int64_t>;

/// Product of the axes; 1 for a scalar (no axes).
inline std::int64_t element_count(const Shape& shape) {
    return std::accumulate(shape.begin(), shape.end(), std::int64_t{1}, std::multiplies<>());
}

/// Elements somebody else owns, row-major and contiguous, of any stored type.
struct TensorView {
    const std::byte* data = nullptr;
    DType dtype = DType::f32;
    Shape shape;

    std::int64_t size() const { return element_count(shape); }
    std::size_t bytes() const { return stored_bytes(dtype, size()); }
};

/// Owned float32 elements, row-major.
struct Tensor {
    Shape shape;
    std::vector<float> data;

    Tensor() = default;
    explicit Tensor(Shape axes)
        : shape(std::move(axes)), data(static_cast<std::size_t>(element_count(shape))) {}
    Tensor(Shape axes, std::vector<float> elements) : shape(std::move(axes)), data(std::move(elements)) {}

    std::int64_t size() const { return static_cast<std::int64_t>(data.size()); }
    TensorView view() const { return {reinterpret_cast<const std::byte*>(data.data()), DType::f32, shape}; }
};

using SharedTensor = std::shared_ptr<const Tensor>;

} // namespace vitrine
