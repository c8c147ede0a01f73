#pragma once
// exp of a vector register: Cody and Waite's reduction to |r| ≤ ln 2 / 2 and the minimax approximations of
// the Cephes library (S. Moshier), good to two units in the last place. Exactly 0 for what would be subnormal
// (so for −∞), NaN for NaN; arguments are capped where the result nears the largest number.
#include <cstdint>

#include "core/backend/cpu/width/vectors.h"

namespace vitrine::backend::cpu::VITRINE_WIDTH {

template <typename S>
struct Exponential;

template <>
struct Exponential<float> {
    using Bits = std::int32_t;
    static constexpr float lowest = -87.33F;
    static constexpr float highest = 88.37F;
    static constexpr float to_integer = 12582912.0F; // 1.5 · 2^23: adding it rounds to an integer
    static constexpr int mantissa_bits = 23;
    static constexpr Bits exponent_bias = 127;
    static constexpr float ln2_high = 0.693359375F;
    static constexpr float ln2_low = -2.12194440e-4F;

    static Vector<float> of_reduced(Vector<float> r) {
        Vector<float> p = r * 1.9875691500e-4F + 1.3981999507e-3F;
        p = p * r + 8.3334519073e-3F;
        p = p * r + 4.1665795894e-2F;
        p = p * r + 1.6666665459e-1F;
        p = p * r + 5.0000001201e-1F;
        return p * (r * r) + r + 1.0F;
    }
};

template <>
struct Exponential<double> {
    using Bits = std::int64_t;
    static constexpr double lowest = -708.3;
    static constexpr double highest = 709.0;
    static constexpr double to_integer = 6755399441055744.0; // 1.5 · 2^52
    static constexpr int mantissa_bits = 52;
    static constexpr Bits exponent_bias = 1023;
    static constexpr double ln2_high = 6.93145751953125e-1;
    static constexpr double ln2_low = 1.42860682030941723212e-6;

    static Vector<double> of_reduced(Vector<double> r) {
        const Vector<double> square = r * r;
        Vector<double> p = square * 1.26177193074810590878e-4 + 3.02994407707441961300e-2;
        p = (p * square + 9.99999999999999999910e-1) * r;
        Vector<double> q = square * 3.00198505138664455042e-6 + 2.52448340349684104192e-3;
        q = q * square + 2.27265548208155028766e-1;
        q = q * square + 2.0;
        return 1.0 + 2.0 * p / (q - p);
    }
};

template <typename S>
inline Vector<S> exponential(Vector<S> x) {
    using E = Exponential<S>;
    typedef typename E::Bits Integers __attribute__((vector_size(vector_bytes)));
    typedef S Registers __attribute__((vector_size(vector_bytes)));
    const Registers capped = x > E::highest ? Registers{} + E::highest : Registers(x);
    constexpr S log2_e = static_cast<S>(1.44269504088896340736);
    const Registers shifted = capped * log2_e + E::to_integer;
    const Registers n = shifted - E::to_integer;
    const Registers reduced = capped - n * E::ln2_high - n * E::ln2_low;
    // The integer stands in the low bits of `shifted`; it goes to the exponent of 2^n.
    const Registers zero = Registers{} + E::to_integer;
    const Integers power = ((Integers)shifted - (Integers)zero + E::exponent_bias) << E::mantissa_bits;
    const Registers result = Registers(E::of_reduced(reduced)) * (Registers)power;
    return x < E::lowest ? Registers{} : result;
}

/// exp of every element; what follows the last whole vector goes through a vector of its own.
template <typename S, typename Element>
inline void for_each_vector(std::int64_t count, Element body) {
    constexpr std::int64_t lanes = VectorOf<S>::lanes;
    std::int64_t i = 0;
    for (; i + lanes <= count; i += lanes)
        body(i, static_cast<int>(lanes));
    if (i < count) body(i, static_cast<int>(count - i));
}

/// `lanes` elements, the rest of the register filled with `fill`.
template <typename S>
inline Vector<S> load_some(const S* from, int lanes, S fill) {
    if (lanes == VectorOf<S>::lanes) return load(from);
    S padded[VectorOf<S>::lanes];
    for (int i = 0; i < VectorOf<S>::lanes; ++i)
        padded[i] = i < lanes ? from[i] : fill;
    return load(static_cast<const S*>(padded));
}
template <typename S>
inline void store_some(S* to, int lanes, const Vector<S>& value) {
    if (lanes == VectorOf<S>::lanes) return store(to, value);
    S padded[VectorOf<S>::lanes];
    store(static_cast<S*>(padded), value);
    for (int i = 0; i < lanes; ++i)
        to[i] = padded[i];
}

} // namespace vitrine::backend::cpu::VITRINE_WIDTH
