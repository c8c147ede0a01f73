#include "core/run/sampler.h"

#include <algorithm>
#include <cmath>
#include <numeric>

namespace vitrine::run {

Distribution distribution_of(std::span<const float> logits) {
    Distribution result;
    const auto best = std::max_element(logits.begin(), logits.end());
    result.best = static_cast<std::int32_t>(best - logits.begin());
    const double largest = static_cast<double>(*best);
    double sum = 0;
    for (const float logit : logits)
        sum += std::exp(static_cast<double>(logit) - largest);
    const double normaliser = largest + std::log(sum);
    double second = 0;
    result.probabilities.reserve(logits.size());
    for (std::size_t id = 0; id < logits.size(); ++id) {
        const double log_p = static_cast<double>(logits[id]) - normaliser;
        const double p = std::exp(log_p);
        result.probabilities.push_back(p);
        if (p > 0) result.entropy -= p * log_p;
        if (static_cast<std::int32_t>(id) != result.best) second = std::max(second, p);
    }
    for (std::size_t id = 0; id < logits.size(); ++id) {
        const double deviation = static_cast<double>(logits[id]) - normaliser + result.entropy;
        const double p = result.probabilities[id];
        if (p > 0) result.varentropy += p * deviation * deviation;
    }
    result.top1 = result.probabilities[static_cast<std::size_t>(result.best)];
    result.margin = result.top1 - second;
    return result;
}

std::int32_t Sampler::draw(std::span<const float> logits, const Distribution& distribution) {
    if (options_.temperature <= 0) return distribution.best;
    std::vector<std::int32_t> order(logits.size());
    std::iota(order.begin(), order.end(), 0);
    const auto more_likely = [&](std::int32_t a, std::int32_t b) {
        const float left = logits[static_cast<std::size_t>(a)];
        const float right = logits[static_cast<std::size_t>(b)];
        return left != right ? left > right : a < b;
    };
    std::sort(order.begin(), order.end(), more_likely);
    if (options_.top_k > 0 && static_cast<std::size_t>(options_.top_k) < order.size())
        order.resize(static_cast<std::size_t>(options_.top_k));
    const double largest = static_cast<double>(logits[static_cast<std::size_t>(order.front())]);
    std::vector<double> mass;
    for (const std::int32_t id : order)
        mass.push_back(std::exp((static_cast<double>(logits[static_cast<std::size_t>(id)]) - largest) /
                                options_.temperature));
    double total = std::accumulate(mass.begin(), mass.end(), 0.0);
    if (options_.top_p < 1) {
        double kept = 0;
        std::size_t count = 0;
        while (count < mass.size() && (count == 0 || kept < options_.top_p * total))
            kept += mass[count++];
        order.resize(count);
        total = kept;
    }
    double left = uniform() * total;
    for (std::size_t i = 0; i < order.size(); ++i) {
        left -= mass[i];
        if (left < 0) return order[i];
    }
    return order.back();
}

} // namespace vitrine::run
