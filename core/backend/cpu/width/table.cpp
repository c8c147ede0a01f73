#include "core/backend/cpu/width/loops.h"
#include "core/backend/cpu/width/vectors.h"
#include "core/backend/cpu/width/width.h"

namespace vitrine::backend::cpu::VITRINE_WIDTH {

template <typename S>
Kernels<S> table() {
    Kernels<S> kernels;
    kernels.tile_rows = register_tile_rows;
    kernels.panel_columns = panel_columns<S>();
    kernels.multiply_tile = multiply_tile<S>;
    kernels.pack_tile = pack_tile<S>;
    kernels.widen = widen<S>;
    kernels.widen_blocks = widen_blocks<S>;
    kernels.multiply_column = multiply_column<S>;
    kernels.gemm = gemm<S>;
    kernels.transpose = transpose<S>;
    kernels.scale = scale<S>;
    kernels.clamp = clamp<S>;
    kernels.cap = cap<S>;
    kernels.add = add<S>;
    kernels.softmax_columns = softmax_columns<S>;
    kernels.softmax_measured = softmax_measured<S>;
    kernels.softmax_part = softmax_part<S>;
    kernels.fold_keys = fold_keys<S>;
    kernels.softmax_single = softmax_single<S>;
    kernels.moments = moments<S>;
    kernels.normalize = normalize<S>;
    kernels.affine = affine<S>;
    kernels.activate = activate<S>;
    kernels.logit_sums = logit_sums<S>;
    return kernels;
}

template Kernels<float> table();
template Kernels<double> table();

} // namespace vitrine::backend::cpu::VITRINE_WIDTH
