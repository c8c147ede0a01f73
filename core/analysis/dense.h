#pragma once
// Small dense linear algebra in double precision, for analyses of weights.
#include <complex>
#include <cstdint>
#include <functional>
#include <vector>

#include "core/sdk/array.h"

namespace vitrine::analysis {

/// Row-major.
struct Dense {
    int rows = 0, cols = 0;
    std::vector<double> data;

    Dense() = default;
    Dense(int r, int c) : rows(r), cols(c), data(static_cast<std::size_t>(r) * static_cast<std::size_t>(c)) {}

    double& operator()(int r, int c) { return data[at(r, c)]; }
    double operator()(int r, int c) const { return data[at(r, c)]; }
    std::size_t at(int r, int c) const {
        return static_cast<std::size_t>(r) * static_cast<std::size_t>(cols) + static_cast<std::size_t>(c);
    }
};

/// Columns [first, first + count) of a matrix, and rows.
Dense columns_of(sdk::View matrix, int first, int count);
Dense rows_of(sdk::View matrix, int first, int count);

Dense transposed(const Dense& a);
Dense product(const Dense& a, const Dense& b);
/// √(Σ a²).
double frobenius(const Dense& a);

/// R of the thin QR decomposition of a tall matrix [n, k], n ≥ k: [k, k], with RᵀR = aᵀa.
Dense triangular_factor(const Dense& tall);

/// Of a matrix of any shape, largest first; relative to the largest they are good to 1e-15.
std::vector<double> singular_values(const Dense& a);

/// The same of a large matrix, from the eigenvalues of its smaller Gram matrix: good to 1.5e-8 of the
/// largest, which is below the rounding of float32 weights. Empty once `go_on(share)` says false.
std::vector<double> singular_values(sdk::View matrix, const std::function<bool(double)>& go_on);

/// Of a square matrix, largest modulus first.
std::vector<std::complex<double>> eigenvalues(const Dense& square);

} // namespace vitrine::analysis
