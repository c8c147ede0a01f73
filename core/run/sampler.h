#pragma once
#include <cstdint>
#include <random>
#include <span>
#include <vector>

namespace vitrine::run {

/// A next-token distribution in float64, from float32 logits.
struct Distribution {
    std::vector<double> probabilities; ///< by token id
    double entropy = 0;                ///< nats
    double varentropy = 0;             ///< Σ p (ln p + entropy)²
    double top1 = 0;
    double margin = 0; ///< largest minus second largest probability
    std::int32_t best = 0;
};
Distribution distribution_of(std::span<const float> logits);

struct SamplerOptions {
    double temperature = 0; ///< 0: the most likely token, ties by smaller id
    int top_k = 0;          ///< 0: no limit
    double top_p = 1;       ///< smallest set of most likely tokens whose mass reaches this
};

/// Draws tokens; the same seed gives the same draws on every platform.
class Sampler {
public:
    Sampler(SamplerOptions options, std::uint64_t seed) : options_(options), random_(seed) {}
    std::int32_t draw(std::span<const float> logits, const Distribution& distribution);

private:
    double uniform() { return static_cast<double>(random_() >> 11) * 0x1.0p-53; }

    SamplerOptions options_;
    std::mt19937_64 random_;
};

} // namespace vitrine::run
