#include "core/store/compare.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>

#include "core/store/activation_reader.h"

namespace vitrine::store {
namespace {

constexpr double infinite = std::numeric_limits<double>::infinity();

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
    if (stored.shape != again.shape) return {Verdict::drifted, infinite, infinite};
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

Result<Comparison> compare_artifacts(const std::filesystem::path& stored_folder, const Artifact& stored,
                                     const std::filesystem::path& again_folder, const Artifact& again,
                                     double tolerance) {
    if (!intact(stored_folder, stored)) return Comparison{Verdict::damaged, infinite, infinite};
    if (stored.hash == again.hash && stored.shape == again.shape && stored.dtype == again.dtype)
        return Comparison{Verdict::identical, 0, 0};
    if (stored.dtype == "utf8" || again.dtype == "utf8")
        return Comparison{Verdict::drifted, infinite, infinite};
    VITRINE_ASSIGN(const auto first, ActivationReader::open(stored_folder / stored.file));
    VITRINE_ASSIGN(const Tensor before, first.read(stored.dataset));
    VITRINE_ASSIGN(const auto second, ActivationReader::open(again_folder / again.file));
    VITRINE_ASSIGN(const Tensor after, second.read(again.dataset));
    return compare(before, after, tolerance);
}

} // namespace vitrine::store
