#include "core/store/compare.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <optional>

#include "core/store/activation_reader.h"

namespace vitrine::store {
namespace {

constexpr double infinite = std::numeric_limits<double>::infinity();

constexpr Comparison incomparable(Verdict verdict) { return {verdict, infinite, infinite}; }

/// Artifacts of a step lie in one file, mostly: it is opened once.
class OpenFile {
public:
    explicit OpenFile(std::filesystem::path folder) : folder_(std::move(folder)) {}

    Result<const ActivationReader*> of(const Artifact& artifact) {
        if (!reader_ || name_ != artifact.file) {
            reader_.reset();
            VITRINE_ASSIGN(ActivationReader reader, ActivationReader::open(folder_ / artifact.file));
            reader_.emplace(std::move(reader));
            name_ = artifact.file;
        }
        return &*reader_;
    }

    bool holds(const Artifact& artifact) {
        const auto reader = of(artifact);
        if (!reader) return false;
        const auto hash = (*reader)->hash(artifact.dataset);
        return hash && *hash == artifact.hash;
    }

private:
    std::filesystem::path folder_;
    std::string name_;
    std::optional<ActivationReader> reader_;
};

Result<Comparison> compare_one(OpenFile& stored_file, const Artifact& stored, OpenFile& again_file,
                               const Artifact* again, double tolerance) {
    if (!stored_file.holds(stored)) return incomparable(Verdict::damaged);
    if (again == nullptr) return incomparable(Verdict::drifted);
    if (stored.hash == again->hash && stored.shape == again->shape && stored.dtype == again->dtype)
        return Comparison{Verdict::identical, 0, 0};
    if (stored.dtype == "utf8" || again->dtype == "utf8") return incomparable(Verdict::drifted);
    VITRINE_ASSIGN(const ActivationReader* before_file, stored_file.of(stored));
    VITRINE_ASSIGN(const Tensor before, before_file->read(stored.dataset));
    VITRINE_ASSIGN(const ActivationReader* after_file, again_file.of(*again));
    VITRINE_ASSIGN(const Tensor after, after_file->read(again->dataset));
    Comparison result = compare(before, after, tolerance);
    // Other bits that read as the same float32: another type, or the last digits of a float64.
    if (result.verdict == Verdict::identical) result.verdict = Verdict::within;
    return result;
}

bool same_value(float a, float b) { return a == b || (std::isnan(a) && std::isnan(b)); }

} // namespace

std::string_view verdict_name(Verdict verdict) {
    switch (verdict) {
    case Verdict::identical:
        return "identical";
    case Verdict::within:
        return "within";
    case Verdict::drifted:
        return "drifted";
    case Verdict::damaged:
        return "damaged";
    }
    return "";
}

double replay_tolerance(std::string_view precision) { return precision == "mixed" ? 1e-4 : 1e-7; }

Comparison compare(const Tensor& stored, const Tensor& again, double tolerance) {
    if (stored.shape != again.shape) return incomparable(Verdict::drifted);
    if (std::memcmp(stored.data.data(), again.data.data(), stored.data.size() * sizeof(float)) == 0)
        return {Verdict::identical, 0, 0};
    double error = 0;
    double power = 0;
    Comparison result;
    bool foreign = false; // an element that is finite, infinite or NaN in one only
    for (std::size_t i = 0; i < stored.data.size(); ++i) {
        const float a = stored.data[i];
        const float b = again.data[i];
        if (!std::isfinite(a) || !std::isfinite(b)) {
            foreign = foreign || !same_value(a, b);
            continue;
        }
        const double difference = static_cast<double>(a) - static_cast<double>(b);
        error += difference * difference;
        power += static_cast<double>(a) * static_cast<double>(a);
        result.max_abs = std::max(result.max_abs, std::abs(difference));
    }
    if (foreign || (error > 0 && power == 0))
        result.nmse = infinite;
    else if (error > 0)
        result.nmse = error / power;
    result.verdict = result.nmse <= tolerance ? Verdict::within : Verdict::drifted;
    return result;
}

Result<std::vector<Drift>> compare_artifacts(const std::filesystem::path& stored_folder,
                                             std::span<const Artifact> stored,
                                             const std::filesystem::path& again_folder,
                                             std::span<const Artifact> again, double tolerance) {
    OpenFile stored_file(stored_folder);
    OpenFile again_file(again_folder);
    std::vector<Drift> drifts;
    for (const Artifact& artifact : stored) {
        const auto match = std::find_if(again.begin(), again.end(), [&](const Artifact& other) {
            return other.dataset == artifact.dataset;
        });
        VITRINE_ASSIGN(const Comparison comparison,
                       compare_one(stored_file, artifact, again_file,
                                   match == again.end() ? nullptr : &*match, tolerance));
        drifts.push_back({artifact.dataset, comparison});
    }
    return drifts;
}

std::vector<Artifact> damaged(const std::filesystem::path& folder, std::span<const Artifact> artifacts) {
    OpenFile file(folder);
    std::vector<Artifact> found;
    for (const Artifact& artifact : artifacts)
        if (!file.holds(artifact)) found.push_back(artifact);
    return found;
}

} // namespace vitrine::store
