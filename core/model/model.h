#pragma once
// A model on disk, described and mapped: its spec and its weights under names that do not depend on the
// family.
#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "core/base/result.h"
#include "core/base/tensor.h"
#include "core/model/spec.h"

namespace vitrine::model {

using WeightId = int;
inline constexpr WeightId no_weight = -1;

/// Strided view of a stored matrix: element (r, c) lies at data[r·row_stride + c·col_stride] (in elements).
/// Matrices of products are [in, out], whatever the file does; a vector has one row. The embedding is
/// [vocab, d_model]; a tied unembedding is the same data with the strides exchanged. Where a fused tensor
/// stores its outputs head by head ([head, (q, k, v), d_head]), the columns come in groups: column c lies (c
/// / group)·group_stride + (c % group)·col_stride from the first. Quantised blocks lie along an axis whose
/// stride is 1; the other strides are whole numbers of blocks.
struct Weight {
    std::string name; ///< "W_E", "blocks.0.attn.W_Q", "blocks.0.ln1.w", "ln_final.b", …
    const std::byte* data = nullptr;
    DType dtype = DType::f32;
    std::int64_t rows = 0;
    std::int64_t cols = 0;
    std::int64_t row_stride = 0;
    std::int64_t col_stride = 1;
    std::int64_t group = 0; ///< columns of a group; 0: all columns are one group
    std::int64_t group_stride = 0;

    /// Where an element lies, in elements from `data`.
    std::int64_t index(std::int64_t row, std::int64_t col) const {
        if (group == 0) return row * row_stride + col * col_stride;
        return row * row_stride + col / group * group_stride + col % group * col_stride;
    }
    /// Elements from the first to behind the last one.
    std::int64_t extent() const { return index(rows - 1, cols - 1) + 1; }
    /// Where an element is stored; in quantised blocks it must be the first of one.
    const std::byte* at(std::int64_t row, std::int64_t col) const {
        return data + stored_bytes(dtype, index(row, col));
    }
    /// Bytes from the first stored element to behind the last one.
    std::size_t span_bytes() const {
        const std::int64_t block = block_elements(dtype);
        return rows == 0 || cols == 0 ? 0 : stored_bytes(dtype, (extent() + block - 1) / block * block);
    }
    /// Whether the elements of a row follow each other.
    bool rows_are_dense() const { return col_stride == 1 && group == 0; }
};

/// Copies a weight into row-major float32 of `rows × cols`.
Tensor widened(const Weight& weight);

/// A described model. The weights point into `storage`, which lives as long as the model.
class Model {
public:
    ModelSpec spec;
    std::vector<Weight> weights;
    std::shared_ptr<const void> storage;
    /// Weights that are in no file as they are used, made when the model was bound.
    std::vector<std::shared_ptr<const std::vector<float>>> made;
    std::string path;         ///< as the user gave it
    std::string format;       ///< "safetensors", "pytorch", "gguf", "memory"
    std::string weights_hash; ///< SHA-256 as DESIGN defines it; empty for shapes made in memory
    std::int64_t parameters = 0;

    /// Adds a weight; its name must be new.
    WeightId add(Weight weight);
    /// The weight of that name, or no_weight (a bias the family does not have, say).
    WeightId find(const std::string& name) const;
    const Weight& at(WeightId id) const { return weights[static_cast<std::size_t>(id)]; }

private:
    std::unordered_map<std::string, WeightId> by_name_;
};

} // namespace vitrine::model
