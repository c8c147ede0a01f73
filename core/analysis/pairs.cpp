#include "core/analysis/pairs.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace vitrine::analysis {

bool Pairs::same_length() const {
    return std::all_of(clean.begin(), clean.end(),
                       [&](const sdk::Row& row) { return row.size() == clean.front().size(); });
}

std::optional<sdk::Failure> read_pairs(const std::vector<sdk::Row>& rows, Pairs& pairs) {
    if (rows.empty() || rows.size() % 2 != 0)
        return sdk::Failure{
            "usage",
            "This analysis needs pairs of prompts, clean first, corrupted second; "
            "there " +
                std::string(rows.size() == 1 ? "is " : "are ") + std::to_string(rows.size()) +
                (rows.size() == 1 ? " row: give the other one." : " rows: give one more, or leave one out.")};
    for (std::size_t i = 0; i < rows.size(); i += 2) {
        const sdk::Row &clean = rows[i], &corrupted = rows[i + 1];
        if (clean.role == "corrupted" || corrupted.role == "clean")
            return sdk::Failure{"usage", "Rows " + std::to_string(i) + " and " + std::to_string(i + 1) +
                                             " are no pair: clean and corrupted prompts must take turns."};
        if (clean.size() != corrupted.size())
            return sdk::Failure{
                "usage", "Rows " + std::to_string(i) + " and " + std::to_string(i + 1) + " are a pair of " +
                             std::to_string(clean.size()) + " and " + std::to_string(corrupted.size()) +
                             " tokens, and patching needs equally many: change a word so that "
                             "both are cut into as many tokens."};
        pairs.clean.push_back(clean);
        pairs.corrupted.push_back(corrupted);
    }
    return std::nullopt;
}

std::string describe(const Pairs& pairs) {
    return std::to_string(pairs.size()) + (pairs.size() == 1 ? " pair of " : " pairs of ") +
           (pairs.same_length() ? std::to_string(pairs.clean.front().size()) : "different numbers of") +
           " tokens.";
}

double normalised(double value, double clean, double corrupted) {
    const double gap = clean - corrupted;
    const double size = std::max({1.0, std::abs(clean), std::abs(corrupted)});
    if (!(std::abs(gap) > 1e-3 * size)) return std::numeric_limits<double>::quiet_NaN();
    return (value - corrupted) / gap;
}

} // namespace vitrine::analysis
