#pragma once
// How far a value that was computed again lies from the stored one.
#include <filesystem>
#include <span>
#include <string>
#include <string_view>
#include <vector>

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

/// The verdict on one stored artifact.
struct Drift {
    std::string artifact; ///< name of the data set
    Comparison comparison;
};

/// What a step stored against what the same step stored again, matched by data set. Each stored artifact is
/// checked against its hash first (damaged); one that was not made again has drifted. Files are relative to
/// their folders. An error is about a file of `again` that cannot be read.
Result<std::vector<Drift>> compare_artifacts(const std::filesystem::path& stored_folder,
                                             std::span<const Artifact> stored,
                                             const std::filesystem::path& again_folder,
                                             std::span<const Artifact> again, double tolerance);

/// The artifacts whose bytes no longer match their hash, or that are missing.
std::vector<Artifact> damaged(const std::filesystem::path& folder, std::span<const Artifact> artifacts);

} // namespace vitrine::store
