#pragma once
// tanh of a vector register, after the Cephes library (S. Moshier): a polynomial or quotient of polynomials
// near 0, where 1 − 2 / (e^2x + 1) would lose digits.
#include "core/backend/cpu/width/exponential.h"

namespace vitrine::backend::cpu::VITRINE_WIDTH {

inline Vector<float> tangent_near_zero(Vector<float> x) {
    const Vector<float> z = x * x;
    Vector<float> p = z * -5.70498872745e-3F + 2.06390887954e-2F;
    p = p * z - 5.37397155531e-2F;
    p = p * z + 1.33314422036e-1F;
    p = p * z - 3.33332819422e-1F;
    return p * z * x + x;
}

inline Vector<double> tangent_near_zero(Vector<double> x) {
    const Vector<double> z = x * x;
    Vector<double> p = z * -9.64399179425052238628e-1 - 9.92877231001918586564e1;
    p = p * z - 1.61468768441708447952e3;
    Vector<double> q = z + 1.12811678491632931402e2;
    q = q * z + 2.23548839060100448583e3;
    q = q * z + 4.84406305325125486048e3;
    return x + x * z * p / q;
}

/// ±1 for ±∞, NaN for NaN.
template <typename S>
inline Vector<S> hyperbolic_tangent(Vector<S> x) {
    const Vector<S> size = x < S{0} ? -x : x;
    const Vector<S> far = S{1} - S{2} / (exponential<S>(size + size) + S{1});
    const Vector<S> signed_far = x < S{0} ? -far : far;
    return size < static_cast<S>(0.625) ? tangent_near_zero(x) : signed_far;
}

} // namespace vitrine::backend::cpu::VITRINE_WIDTH
