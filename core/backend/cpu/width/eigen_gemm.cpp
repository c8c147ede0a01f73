#include "core/backend/cpu/width/eigen.h"

#include "core/backend/cpu/width/loops.h"

namespace vitrine::backend::cpu::VITRINE_WIDTH {

template <typename S>
void gemm(const Gemm& shape, const S* x, const S* w, S* y) {
    using Rows = Eigen::Matrix<S, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
    using Stride = Eigen::OuterStride<>;
    const Eigen::Map<const Rows, 0, Stride> left(x, shape.rows, shape.inner, Stride(shape.x_stride));
    Eigen::Map<Rows, 0, Stride> result(y, shape.rows, shape.columns, Stride(shape.y_stride));
    if (shape.w_transposed) {
        const Eigen::Map<const Rows, 0, Stride> right(w, shape.columns, shape.inner, Stride(shape.w_stride));
        result.noalias() = left * right.transpose();
    } else {
        const Eigen::Map<const Rows, 0, Stride> right(w, shape.inner, shape.columns, Stride(shape.w_stride));
        result.noalias() = left * right;
    }
}

template void gemm(const Gemm&, const float*, const float*, float*);
template void gemm(const Gemm&, const double*, const double*, double*);

} // namespace vitrine::backend::cpu::VITRINE_WIDTH
