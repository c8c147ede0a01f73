#pragma once
// The functions that table.cpp collects; kernels.h says what each does.
#include "core/backend/cpu/kernels.h"

namespace vitrine::backend::cpu::VITRINE_WIDTH {

template <typename S>
int panel_columns();
template <typename S>
void pack_tile(const S* x, std::int64_t stride, int rows, std::int64_t inner, S* out);
template <typename S>
void widen(DType from, const std::byte* in, std::int64_t count, S* out);
template <typename S>
void widen_blocks(DType from, const std::byte* run, std::int64_t first, std::int64_t count, S* out);
template <typename S>
void multiply_tile(const Tile<S>& tile);
template <typename S>
void multiply_column(int rows, std::int64_t inner, const S* x, const S* column, S* y);
template <typename S>
void gemm(const Gemm& shape, const S* x, const S* w, S* y);

template <typename S>
void transpose(const S* from, std::int64_t from_stride, std::int64_t rows, std::int64_t columns, S* to,
               std::int64_t to_stride);

template <typename S>
void scale(S factor, std::int64_t count, S* x);
template <typename S>
void clamp(S bound, std::int64_t count, S* x);
template <typename S>
void cap(S cap, std::int64_t count, S* x);
template <typename S>
void softmax_columns(S* block, std::int64_t keys);
template <typename S>
void softmax_measured(S* block, std::int64_t keys, const ColumnSums<S>& found);
template <typename S>
void softmax_part(S* block, std::int64_t keys, const S* highest, const S* inverse);
template <typename S>
void fold_keys(const S* block, std::int64_t keys, S* largest, S* sum, S* by_key);
template <typename S>
void softmax_single(S* x, std::int64_t keys);

template <typename S>
Moments<S> moments(const model::NormSpec& spec, const S* x, std::int64_t width);
template <typename S>
void normalize(S mean, S scale, const S* x, std::int64_t width, S* out);
template <typename S>
void affine(const S* x, const S* weight, const S* bias, std::int64_t width, S* out);

template <typename S>
void activate(model::Activation kind, const S* x, const S* factor, std::int64_t count, S* out);

template <typename S>
void add(const S* a, const S* b, std::int64_t count, S* out);
template <typename S>
LogitSums logit_sums(const S* logits, std::int64_t count);

} // namespace vitrine::backend::cpu::VITRINE_WIDTH
