#pragma once
#include <cstdint>

namespace vitrine::analysis {

/// out[rows, columns] = x[rows, width] · w[width, columns], row-major float32. A row's bits do not depend on
/// the other rows; at most 64 terms are added in float32 before they join the total, which bounds rounding.
void float_product(const float* x, int rows, int width, const float* w, int columns, float* out);

} // namespace vitrine::analysis
