#pragma once
// A vector register of the width this source is compiled for.
#include <cstddef>

namespace vitrine::backend::cpu::VITRINE_WIDTH {

#if defined(__AVX512F__)
constexpr std::size_t vector_bytes = 64;
constexpr int register_tile_rows = 12; // 24 of 32 registers hold sums
#elif defined(__AVX2__)
constexpr std::size_t vector_bytes = 32;
constexpr int register_tile_rows = 6; // 12 of 16 registers hold sums
#else
constexpr std::size_t vector_bytes = 16;
constexpr int register_tile_rows = 6;
#endif

template <typename S>
struct VectorOf {
    typedef S Type __attribute__((vector_size(vector_bytes), aligned(sizeof(S)), may_alias));
    static constexpr int lanes = vector_bytes / sizeof(S);
};
template <typename S>
using Vector = typename VectorOf<S>::Type;

template <typename S>
inline Vector<S> load(const S* from) {
    return *reinterpret_cast<const Vector<S>*>(from);
}
template <typename S>
inline void store(S* to, const Vector<S>& value) {
    *reinterpret_cast<Vector<S>*>(to) = value;
}

/// Tells the compiler that a loaded vector is worth a register. GCC would fold the load into each of the
/// multiply-adds that use it, and the loads, not the arithmetic, would then set the pace.
template <typename Register>
inline void keep_in_register(Register& value) {
#if defined(__x86_64__)
    __asm__("" : "+v"(value));
#elif defined(__aarch64__)
    __asm__("" : "+w"(value));
#else
    static_cast<void>(value);
#endif
}

} // namespace vitrine::backend::cpu::VITRINE_WIDTH
