#pragma once
#include "core/backend/cpu/kernels.h"

namespace vitrine::backend::cpu::VITRINE_WIDTH {

template <typename S>
void multiply_tile(const Tile<S>& tile);
template <typename S>
void pack_tile(const S* x, std::int64_t stride, int rows, std::int64_t inner, S* out);
template <typename S>
void widen(DType from, const std::byte* in, std::int64_t count, S* out);
template <typename S>
int panel_columns();
template <typename S>
void gemm(const Gemm& shape, const S* x, const S* w, S* y);

} // namespace vitrine::backend::cpu::VITRINE_WIDTH
