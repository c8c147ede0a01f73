#include "core/backend/cpu/width/products.h"
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
    kernels.gemm = gemm<S>;
    return kernels;
}

template Kernels<float> table();
template Kernels<double> table();

} // namespace vitrine::backend::cpu::VITRINE_WIDTH
