#include "views/attention/sinks.h"

#include <cmath>
#include <limits>

namespace vitrine::views {

namespace {

constexpr double sink_threshold = 0.3;
constexpr std::size_t fewest_queries = 8;

} // namespace

std::vector<double> alpha_of(const figure::Matrix& pattern) {
    std::vector<double> out(static_cast<std::size_t>(pattern.cols), 0.0);
    for (int query = 0; query < pattern.rows; ++query)
        for (int key = 0; key <= query; ++key)
            out[static_cast<std::size_t>(key)] += pattern.at(query, key);
    for (int key = 0; key < pattern.cols; ++key)
        out[static_cast<std::size_t>(key)] /= pattern.rows - key;
    return out;
}

std::vector<bool> sinks_by(const std::vector<double>& alpha) {
    std::vector<bool> out(alpha.size());
    for (std::size_t key = 0; key < alpha.size(); ++key)
        out[key] = alpha[key] > sink_threshold && alpha.size() - key >= fewest_queries;
    return out;
}

std::vector<bool> sink_columns(const figure::Matrix& pattern) { return sinks_by(alpha_of(pattern)); }

double mass_by(const std::vector<double>& alpha, const std::vector<bool>& columns) {
    double sum = 0;
    for (std::size_t key = 0; key < alpha.size(); ++key)
        if (columns[key]) sum += alpha[key] * static_cast<double>(alpha.size() - key);
    return alpha.empty() ? 0 : sum / static_cast<double>(alpha.size());
}

double mass_on(const figure::Matrix& pattern, const std::vector<bool>& columns) {
    double sum = 0;
    for (int query = 0; query < pattern.rows; ++query)
        for (int key = 0; key <= query; ++key)
            if (columns[static_cast<std::size_t>(key)]) sum += pattern.at(query, key);
    return pattern.rows == 0 ? 0 : sum / pattern.rows;
}

double row_entropy(const figure::Matrix& pattern, int query) {
    double sum = 0;
    for (int key = 0; key <= query; ++key) {
        const double share = pattern.at(query, key);
        if (share > 0) sum -= share * std::log(share);
    }
    return sum;
}

figure::Matrix without_columns(const figure::Matrix& pattern, const std::vector<bool>& columns) {
    constexpr float none = std::numeric_limits<float>::quiet_NaN();
    std::vector<float> values(static_cast<std::size_t>(pattern.rows) * static_cast<std::size_t>(pattern.cols),
                              0.0F);
    for (int query = 0; query < pattern.rows; ++query) {
        double left = 0;
        for (int key = 0; key <= query; ++key)
            if (!columns[static_cast<std::size_t>(key)]) left += pattern.at(query, key);
        for (int key = 0; key <= query; ++key) {
            float& cell = values[static_cast<std::size_t>(query) * static_cast<std::size_t>(pattern.cols) +
                                 static_cast<std::size_t>(key)];
            if (columns[static_cast<std::size_t>(key)] || left <= 0)
                cell = none;
            else
                cell = static_cast<float>(pattern.at(query, key) / left);
        }
    }
    return figure::make_matrix(pattern.rows, pattern.cols, std::move(values));
}

} // namespace vitrine::views
