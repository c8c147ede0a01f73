#pragma once
#include <vector>

#include "core/sdk/array.h"

namespace vitrine::analysis {

/// √(Σ x²)
double length_of(const std::vector<double>& x);
/// Of two arrays of one shape, flattened.
double cosine_of(sdk::View a, sdk::View b);
/// NaN of nothing.
double mean_of(const std::vector<double>& values);
/// Standard deviation with n − 1; NaN of fewer than two.
double deviation_of(const std::vector<double>& values);

/// Spearman's rank correlation: Pearson's of the ranks, equal values sharing the mean of theirs. NaN where
/// one of the two is constant or there are fewer than three pairs.
double spearman(const std::vector<double>& x, const std::vector<double>& y);

} // namespace vitrine::analysis
