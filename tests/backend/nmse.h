#pragma once
// How far float32 results are from float64 truth.
#include <cmath>
#include <limits>
#include <random>
#include <span>
#include <vector>

namespace vitrine::test {

/// Σ(got − want)² / Σ want². Infinite if a value is not finite where the other is, or the sizes differ.
inline double nmse(std::span<const float> got, std::span<const double> want) {
    if (got.size() != want.size()) return std::numeric_limits<double>::infinity();
    double error = 0;
    double power = 0;
    for (std::size_t i = 0; i < got.size(); ++i) {
        if (std::isinf(want[i]) && static_cast<double>(got[i]) == want[i]) continue;
        if (!std::isfinite(got[i]) || !std::isfinite(want[i])) return std::numeric_limits<double>::infinity();
        error += (got[i] - want[i]) * (got[i] - want[i]);
        power += want[i] * want[i];
    }
    return power > 0 ? error / power : error;
}

/// The budget of every op in exact mode.
inline constexpr double exact_budget = 1e-7;

/// `count` numbers, normal with the given deviation; the same for the same seed on every machine.
inline std::vector<float> random_floats(std::size_t count, unsigned seed, double deviation = 1) {
    std::mt19937_64 generator(seed);
    std::vector<float> numbers(count);
    for (float& number : numbers) {
        // Sum of uniforms: the standard distributions differ between libraries.
        double sum = -6;
        for (int i = 0; i < 12; ++i)
            sum += static_cast<double>(generator() >> 11) * 0x1p-53;
        number = static_cast<float>(sum * deviation);
    }
    return numbers;
}

} // namespace vitrine::test
