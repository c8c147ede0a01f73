#pragma once
#include <map>
#include <memory>
#include <tuple>

#include "core/backend/vulkan/device.h"
#include "core/model/model.h"

namespace vitrine::backend::vulkan {

/// How a matrix is cut along an axis for values whose heads are padded: `heads` blocks, each padded to a
/// multiple of `pad` elements.
struct Blocks {
    int heads = 1;
    int pad = 4;
};

/// A matrix in the file's element type: the elements of a column, or their blocks, one after another.
struct NarrowMatrix {
    Buffer buffer;
    std::uint32_t column_bytes = 0; ///< from one column to the next, a multiple of 4
};

/// A matrix in panels (matmul.h), or what its panels are made of when they are used (widen.h).
struct PackedMatrix {
    Buffer buffer;             ///< empty if `narrow`
    std::uint32_t k4 = 0;      ///< padded K / 4
    std::uint32_t columns = 0; ///< padded N
    std::uint32_t panel = 0;   ///< vec4s between panels

    const NarrowMatrix* narrow = nullptr;
    const model::Weight* weight = nullptr;
    Blocks in, out; ///< how K and N are padded
};

/// A matrix as a table of rows: row t is row t of the matrix, or column t where a product shares the copy.
struct Table {
    const PackedMatrix* matrix = nullptr; ///< null: the host reads the rows where the file has them
    bool by_column = false;
};

/// One row of a table, as a vector.
inline model::Weight row_of(const model::Weight& table, std::int64_t row) {
    model::Weight vector = table;
    vector.data = table.at(row, 0);
    vector.rows = 1;
    return vector;
}

/// A model's weights in device memory, each once: a tied unembedding serves as the embedding too. Matrices
/// are widened to float32 as they are uploaded where that leaves most of the memory free; else those of 16
/// bits and of quantised blocks stay in the file's type, and tables of embeddings in the mapped file.
class Weights {
public:
    Weights(Device& device, const model::Model& model);

    /// Uploads everything. malformed, naming the tensor, if a weight is not finite; out_of_memory before
    /// anything is uploaded if the device is too small.
    Status upload(const CancelToken& cancel, const Progress& progress);

    /// W [in, out] for values whose axes are cut into blocks. Packed again where the plain copy does not fit,
    /// but a narrow one is stored once.
    Result<const PackedMatrix*> matrix(model::WeightId id, Blocks in, Blocks out);
    /// A weight as padded blocks of four; `heads` as in Blocks.
    Result<Slice> vector(model::WeightId id, int heads);
    Result<Table> table(model::WeightId id);

    const model::Model& model() const { return model_; }
    std::uint64_t bytes() const { return bytes_; }

private:
    using MatrixKey =
        std::tuple<const std::byte*, std::int64_t, std::int64_t, std::int64_t, std::int64_t, int, int, int>;
    MatrixKey key_of(const model::Weight& weight, Blocks in, Blocks out) const;
    model::WeightId twin_of(model::WeightId id) const;
    bool shares_its_twins_copy(model::WeightId id) const;
    Status check_room() const;
    bool stays_narrow(model::WeightId id) const;
    Result<const NarrowMatrix*> narrow(model::WeightId id);

    Device& device_;
    const model::Model& model_;
    bool little_room_ = false;
    std::map<model::WeightId, NarrowMatrix> narrow_;
    std::map<MatrixKey, PackedMatrix> matrices_;
    std::map<std::pair<model::WeightId, int>, Buffer> vectors_;
    std::uint64_t bytes_ = 0;
};

} // namespace vitrine::backend::vulkan
