#pragma once
// Prompts that come in twos: clean, corrupted.
#include <optional>
#include <string>
#include <vector>

#include "core/sdk/input.h"
#include "core/sdk/output.h"

namespace vitrine::analysis {

struct Pairs {
    std::vector<sdk::Row> clean, corrupted; ///< of equal number; each two of equal length

    int size() const { return static_cast<int>(clean.size()); }
    /// Whether all pairs are equally long.
    bool same_length() const;
};

/// The rows by twos. Failure: an odd number, rows whose roles are in another order, a pair of unequal length.
std::optional<sdk::Failure> read_pairs(const std::vector<sdk::Row>& rows, Pairs& pairs);

/// "3 pairs of 15 tokens."
std::string describe(const Pairs& pairs);

/// (value − corrupted)/(clean − corrupted); NaN where clean and corrupted differ by less than a thousandth of
/// the larger of them (or of 1).
double normalised(double value, double clean, double corrupted);

} // namespace vitrine::analysis
