#pragma once
#include <vector>

namespace vitrine::model {

/// Slopes of ALiBi (Press et al. 2022) for n heads: with p the largest power of two not above n, 2^(−8i/p)
/// for i = 1 … p, then 2^(−4j/p) for j = 1, 3, 5, … Computed in float32 as `transformers` does: powers of the
/// first.
std::vector<float> alibi_slopes(int heads);

} // namespace vitrine::model
