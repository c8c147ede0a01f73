#pragma once
// How far a value that was computed again lies from the stored one.
#include <filesystem>
#include <string_view>

#include "core/base/result.h"
#include "core/base/tensor.h"
#include "core/store/artifact.h"

namespace vitrine::store {

enum class Verdict {
    identical, ///< the same bits
    within,    ///< normalised mean square error within the tolerance
    drifted,   ///< beyond it, or of another shape, or other elements are not finite
    damaged,   ///< what was stored does not match its hash any more
};

/// "identical", "within", "drifted", "damaged".
std::string_view verdict_name(Verdict verdict);

struct Comparison {
    Verdict verdict = Verdict::drifted;
    /// Σ(a − b)² / Σa² over the elements that are finite in both, a the stored values; infinite where it has
    /// no meaning (other shapes, other elements not finite, all stored values zero and the new ones not).
    double nmse = 0;
    double max_abs = 0; ///< max |a − b| over the same elements
};

/// Largest nmse that counts as the same result: 1e-7 for "exact", 1e-4 for "mixed" (the square of its band).
double replay_tolerance(std::string_view precision);

/// Infinities of one sign (masked scores) and NaNs at the same place count as equal.
Comparison compare(const Tensor& stored, const Tensor& again, double tolerance);

/// Reads both artifacts (files relative to their folders) and compares them. `stored` is checked against its
/// hash first: damaged. An error is about `again` alone.
Result<Comparison> compare_artifacts(const std::filesystem::path& stored_folder, const Artifact& stored,
                                     const std::filesystem::path& again_folder, const Artifact& again,
                                     double tolerance);

} // namespace vitrine::store
