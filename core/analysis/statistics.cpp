#include "core/analysis/statistics.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

namespace vitrine::analysis {

namespace {

constexpr double nothing = std::numeric_limits<double>::quiet_NaN();

std::vector<double> ranks_of(const std::vector<double>& values) {
    std::vector<std::size_t> order(values.size());
    std::iota(order.begin(), order.end(), std::size_t{0});
    std::sort(order.begin(), order.end(),
              [&](std::size_t a, std::size_t b) { return values[a] < values[b]; });
    std::vector<double> ranks(values.size());
    for (std::size_t begin = 0, end = 0; begin < order.size(); begin = end) {
        while (end < order.size() && values[order[end]] == values[order[begin]])
            ++end;
        const double shared = static_cast<double>(begin + end - 1) / 2;
        for (std::size_t i = begin; i < end; ++i)
            ranks[order[i]] = shared;
    }
    return ranks;
}

} // namespace

double length_of(const std::vector<double>& x) {
    return std::sqrt(std::inner_product(x.begin(), x.end(), x.begin(), 0.0));
}

double cosine_of(sdk::View a, sdk::View b) {
    double product = 0, squares_a = 0, squares_b = 0;
    for (std::int64_t i = 0; i < a.count(); ++i) {
        const auto x = static_cast<double>(a(i)), y = static_cast<double>(b(i));
        product += x * y;
        squares_a += x * x;
        squares_b += y * y;
    }
    return product / std::sqrt(squares_a * squares_b);
}

double mean_of(const std::vector<double>& values) {
    if (values.empty()) return nothing;
    return std::accumulate(values.begin(), values.end(), 0.0) / static_cast<double>(values.size());
}

double deviation_of(const std::vector<double>& values) {
    if (values.size() < 2) return nothing;
    const double mean = mean_of(values);
    double square = 0;
    for (const double value : values)
        square += (value - mean) * (value - mean);
    return std::sqrt(square / static_cast<double>(values.size() - 1));
}

double spearman(const std::vector<double>& x, const std::vector<double>& y) {
    if (x.size() < 3) return nothing;
    const auto a = ranks_of(x), b = ranks_of(y);
    const double mean = mean_of(a); // the same of both
    double both = 0, square_a = 0, square_b = 0;
    for (std::size_t i = 0; i < a.size(); ++i) {
        both += (a[i] - mean) * (b[i] - mean);
        square_a += (a[i] - mean) * (a[i] - mean);
        square_b += (b[i] - mean) * (b[i] - mean);
    }
    return square_a > 0 && square_b > 0 ? both / std::sqrt(square_a * square_b) : nothing;
}

} // namespace vitrine::analysis
