#include "core/backend/cpu/matrix.h"

#include <algorithm>
#include <cstring>
#include <type_traits>

#include "core/backend/cpu/kernels.h"

namespace vitrine::backend::cpu {

namespace {

/// What panels hold: the file's type where a kernel can widen it, else the nearest that one can.
template <typename S>
DType stored_type(const model::Weight& weight) {
    const DType file = weight.dtype;
    if (in_blocks(file) && weight.row_stride == 1) return file;
    if (file == DType::f16 || file == DType::bf16) return file;
    if (file == DType::f64 && std::is_same_v<S, double>) return DType::f64;
    return DType::f32;
}

const std::byte* element(const model::Weight& weight, std::int64_t row, std::int64_t col) {
    return weight.data + weight.index(row, col) * static_cast<std::int64_t>(dtype_size(weight.dtype));
}

/// Copies columns [first, first + count) of every row into a zero-filled panel of `width` columns.
template <typename Element>
void copy_panel(const model::Weight& weight, std::int64_t first, std::int64_t count, std::int64_t width,
                std::byte* out) {
    for (std::int64_t k = 0; k < weight.rows; ++k) {
        std::byte* row = out + k * width * static_cast<std::int64_t>(sizeof(Element));
        if (weight.rows_are_dense()) {
            std::memcpy(row, element(weight, k, first), static_cast<std::size_t>(count) * sizeof(Element));
        } else {
            for (std::int64_t c = 0; c < count; ++c)
                std::memcpy(row + c * static_cast<std::int64_t>(sizeof(Element)),
                            element(weight, k, first + c), sizeof(Element));
        }
        std::memset(row + count * static_cast<std::int64_t>(sizeof(Element)), 0,
                    static_cast<std::size_t>(width - count) * sizeof(Element));
    }
}

/// As copy_panel, for element types that no kernel widens.
void convert_panel(const model::Weight& weight, std::int64_t first, std::int64_t count, std::int64_t width,
                   std::byte* out) {
    auto* row = reinterpret_cast<float*>(out);
    if (in_blocks(weight.dtype)) { // along the rows: a table of embeddings used in a product
        for (std::int64_t k = 0; k < weight.rows; ++k, row += width) {
            std::fill(row, row + width, 0.0F);
            kernels<float>().widen_blocks(weight.dtype, weight.at(k, 0), first, count, row);
        }
        return;
    }
    for (std::int64_t k = 0; k < weight.rows; ++k, row += width) {
        std::fill(row, row + width, 0.0F);
        for (std::int64_t c = 0; c < count; ++c)
            widen(weight.dtype, element(weight, k, first + c), {row + c, 1});
    }
}

} // namespace

template <typename S>
Matrix<S>::Matrix(const model::Weight& weight, Routine routine, ThreadPool& pool)
    : weight_(weight), routine_(routine), stored_(stored_type<S>(weight)) {
    if (in_place()) return;
    const std::int64_t width = kernels<S>().panel_columns;
    const std::int64_t count = (weight.cols + width - 1) / width;
    const auto panel_bytes = static_cast<std::size_t>(weight.rows * width) * dtype_size(stored_);
    std::byte* panels = panels_.at_least(static_cast<std::size_t>(count) * panel_bytes);
    pool.parallel_for(static_cast<std::size_t>(count), [&](std::size_t i) {
        const auto first = static_cast<std::int64_t>(i) * width;
        const std::int64_t columns = std::min(width, weight.cols - first);
        std::byte* out = panels + i * panel_bytes;
        if (stored_ != weight.dtype) return convert_panel(weight, first, columns, width, out);
        switch (dtype_size(stored_)) {
        case 2:
            return copy_panel<std::uint16_t>(weight, first, columns, width, out);
        case 4:
            return copy_panel<std::uint32_t>(weight, first, columns, width, out);
        default:
            return copy_panel<std::uint64_t>(weight, first, columns, width, out);
        }
    });
}

template <typename S>
std::uint64_t Matrix<S>::resident_bytes() const {
    if (!in_place()) return panels_.capacity();
    return stored_bytes(weight_.dtype, inner() * columns());
}

template <typename S>
const S* Matrix<S>::widened_panel(std::int64_t index, std::int64_t k, std::int64_t count,
                                  Buffer<S>& scratch) const {
    const Kernels<S>& kernel = kernels<S>();
    const std::int64_t width = kernel.panel_columns;
    const std::int64_t columns = std::min(width, weight_.cols - index * width);
    S* out = scratch.at_least(static_cast<std::size_t>(2 * count * width));
    S* by_column = out + count * width;
    for (std::int64_t c = 0; c < columns; ++c)
        kernel.widen_blocks(stored_, weight_.at(0, index * width + c), k, count, by_column + c * count);
    std::fill(by_column + columns * count, by_column + width * count, S{0});
    kernel.transpose(by_column, count, width, count, out, width);
    return out;
}

template <typename S>
const S* Matrix<S>::panel(std::int64_t index, std::int64_t k, std::int64_t count, Buffer<S>& scratch) const {
    if (in_blocks(stored_)) return widened_panel(index, k, count, scratch);
    const std::int64_t width = kernels<S>().panel_columns;
    const std::int64_t first = (index * inner() + k) * width;
    const std::byte* at = panels_.data() + first * static_cast<std::int64_t>(dtype_size(stored_));
    constexpr DType own = std::is_same_v<S, float> ? DType::f32 : DType::f64;
    if (stored_ == own) return reinterpret_cast<const S*>(at);
    S* out = scratch.at_least(static_cast<std::size_t>(count * width));
    kernels<S>().widen(stored_, at, count * width, out);
    return out;
}

template <typename S>
typename Matrix<S>::Block Matrix<S>::widened_block(const Part& part, Buffer<S>& scratch) const {
    S* out = scratch.at_least(static_cast<std::size_t>(part.inner() * part.columns()));
    if (weight_.row_stride == 1) {
        for (std::int64_t c = 0; c < part.columns(); ++c)
            kernels<S>().widen_blocks(weight_.dtype, weight_.at(0, part.column_begin + c), part.inner_begin,
                                      part.inner(), out + c * part.inner());
        return {out, part.inner(), true};
    }
    for (std::int64_t k = 0; k < part.inner(); ++k)
        kernels<S>().widen_blocks(weight_.dtype, weight_.at(part.inner_begin + k, 0), part.column_begin,
                                  part.columns(), out + k * part.columns());
    return {out, part.columns(), false};
}

template <typename S>
typename Matrix<S>::Block Matrix<S>::block(const Part& part, Buffer<S>& scratch) const {
    if (in_blocks(weight_.dtype)) return widened_block(part, scratch);
    constexpr DType own = std::is_same_v<S, float> ? DType::f32 : DType::f64;
    const std::byte* at = element(weight_, part.inner_begin, part.column_begin);
    const bool aligned = reinterpret_cast<std::uintptr_t>(at) % alignof(S) == 0;
    if (weight_.dtype == own && aligned && weight_.rows_are_dense())
        return {reinterpret_cast<const S*>(at), weight_.row_stride, false};
    if (weight_.dtype == own && aligned && weight_.row_stride == 1 && weight_.group == 0)
        return {reinterpret_cast<const S*>(at), weight_.col_stride, true};
    S* out = scratch.at_least(static_cast<std::size_t>(part.inner() * part.columns()));
    const bool transposed = weight_.row_stride == 1 && !weight_.rows_are_dense();
    const std::int64_t rows = transposed ? part.columns() : part.inner();
    const std::int64_t width = transposed ? part.inner() : part.columns();
    for (std::int64_t r = 0; r < rows; ++r) {
        for (std::int64_t c = 0; c < width; ++c) {
            const std::int64_t k = part.inner_begin + (transposed ? c : r);
            const std::int64_t n = part.column_begin + (transposed ? r : c);
            if ((transposed || weight_.rows_are_dense()) && stored_ == weight_.dtype) {
                kernels<S>().widen(stored_, element(weight_, k, n), width, out + r * width);
                break;
            }
            float value = 0;
            widen(weight_.dtype, element(weight_, k, n), {&value, 1});
            out[r * width + c] = static_cast<S>(value);
        }
    }
    return {out, width, transposed};
}

template class Matrix<float>;
template class Matrix<double>;

} // namespace vitrine::backend::cpu
