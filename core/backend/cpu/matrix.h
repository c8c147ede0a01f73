#pragma once
// A weight matrix in the form its product routine wants, in the file's element type.
#include <cstddef>
#include <cstdint>

#include "core/backend/cpu/buffer.h"
#include "core/backend/cpu/routine.h"
#include "core/base/thread_pool.h"
#include "core/model/model.h"

namespace vitrine::backend::cpu {

/// A part of a matrix: W[inner_begin … inner_end, column_begin … column_end].
struct Part {
    std::int64_t inner_begin = 0;
    std::int64_t inner_end = 0;
    std::int64_t column_begin = 0;
    std::int64_t column_end = 0;

    std::int64_t inner() const { return inner_end - inner_begin; }
    std::int64_t columns() const { return column_end - column_begin; }
};

/// For `packed`, a copy in panels [columns / P][inner][P], the last one filled up with zeros, P =
/// kernels<S>().panel_columns. For the libraries' routines the weight itself, which must outlive the matrix.
/// 16-bit elements stay 16-bit; quantised blocks are used where they are stored, without a copy. A part is
/// widened to S just before it is used.
template <typename S>
class Matrix {
public:
    Matrix() = default;
    Matrix(const model::Weight& weight, Routine routine, ThreadPool& pool);

    Routine routine() const { return routine_; }
    std::int64_t inner() const { return weight_.rows; }
    std::int64_t columns() const { return weight_.cols; }
    Part whole() const { return {0, inner(), 0, columns()}; }
    std::uint64_t resident_bytes() const;
    /// Whether the weight itself is used, so that its memory must stay.
    bool in_place() const { return in_blocks(stored_) || routine_ != Routine::packed; }
    /// Steps of the inner axis that are worth widening at once.
    std::int64_t inner_block() const { return in_blocks(stored_) ? 256 : 384; }

    /// Rows k … k + count of a panel, [count][P]: in place, or widened into scratch.
    const S* panel(std::int64_t index, std::int64_t k, std::int64_t count, Buffer<S>& scratch) const;

    /// A block for the libraries: in place if it is stored as S, else widened into scratch.
    struct Block {
        const S* data = nullptr;
        std::int64_t stride = 0;
        bool transposed = false; ///< data is [columns, inner]
    };
    Block block(const Part& part, Buffer<S>& scratch) const;

private:
    Block widened_block(const Part& part, Buffer<S>& scratch) const;
    const S* widened_panel(std::int64_t index, std::int64_t k, std::int64_t count, Buffer<S>& scratch) const;

    model::Weight weight_;
    Routine routine_ = Routine::packed;
    DType stored_ = DType::f32; ///< of the panels
    Buffer<std::byte> panels_;
};

} // namespace vitrine::backend::cpu
