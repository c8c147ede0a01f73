#include "core/model/rope.h"

#include <cmath>
#include <numbers>

#include <fmt/format.h>

namespace vitrine::model {

namespace {

/// The members that decide, wherever the config has them.
struct Parameters {
    Config rope; ///< rope_parameters or rope_scaling
    std::string type;
    double theta;
    int dims;
};

const Json& object_of(const Config& config, const RopeDefaults& defaults) {
    static const Json none = Json::object();
    const Json& json = config.json();
    if (json.contains("rope_parameters") && json["rope_parameters"].is_object()) {
        const Json& parameters = json["rope_parameters"];
        if (defaults.layer_type != nullptr && parameters.contains(defaults.layer_type))
            return parameters[defaults.layer_type].is_object() ? parameters[defaults.layer_type] : none;
        return parameters;
    }
    const bool scaled = defaults.scaled && json.contains("rope_scaling") && json["rope_scaling"].is_object();
    return scaled ? json["rope_scaling"] : none;
}

Result<Parameters> parameters_of(const Config& config, const ModelSpec& spec, const RopeDefaults& defaults) {
    for (const char* key : {"rope_parameters", "rope_scaling"})
        if (config.has(key) && !config.json()[key].is_object())
            return fail(Code::malformed, fmt::format("{}: \"{}\" must be an object.", config.path(), key));
    Parameters found{Config(object_of(config, defaults), config.path()), "", 0, 0};
    VITRINE_ASSIGN(const double outer, config.positive_or(defaults.theta_key, defaults.theta));
    VITRINE_ASSIGN(found.theta, found.rope.positive_or("rope_theta", outer));
    VITRINE_ASSIGN(const double outer_share, config.positive_or(defaults.share_key, defaults.share));
    VITRINE_ASSIGN(const double share, found.rope.positive_or("partial_rotary_factor", outer_share));
    VITRINE_ASSIGN(const std::string older, found.rope.text_or("type", "default"));
    VITRINE_ASSIGN(found.type, found.rope.text_or("rope_type", older));
    if (found.type == "su") found.type = "longrope"; // its name in the first Phi-3 files
    found.dims = share > 1 ? 0 : static_cast<int>(spec.d_head * share);
    if (found.dims < 2 || found.dims % 2 != 0)
        return fail(
            Code::malformed,
            fmt::format("{}: rotating {} of a head's {} dimensions cannot be; it takes an even number.",
                        config.path(), spec.d_head * share, spec.d_head));
    return found;
}

/// theta^(2i/dims): the power of a float32 base.
std::vector<float> powers(double theta, int dims) {
    std::vector<float> powers;
    for (int i = 0; i < dims; i += 2)
        powers.push_back(
            std::pow(static_cast<float>(theta), static_cast<float>(i) / static_cast<float>(dims)));
    return powers;
}

/// The factor that a scaling type cannot do without.
Result<double> factor_of(const Config& rope) {
    if (!rope.has("factor"))
        return fail(Code::malformed,
                    fmt::format("{}: the scaling of rotary positions has no \"factor\".", rope.path()));
    return rope.positive_or("factor", 1.0);
}

/// L, the context before it was stretched: a member of the config itself wins.
Result<int> original_context(const Config& config, const Config& rope, const ModelSpec& spec,
                             const RopeDefaults& defaults) {
    const char* key = "original_max_position_embeddings";
    if (config.has(key)) return config.count(key);
    if (defaults.original_context > 0) return defaults.original_context;
    return rope.count_or(key, spec.context);
}

/// Llama 3's stretching of long wavelengths.
Status llama3(RotarySpec& rotary, const Config& rope, int original) {
    VITRINE_ASSIGN(const double factor, factor_of(rope));
    VITRINE_ASSIGN(const double low, rope.positive_or("low_freq_factor", 1.0));
    VITRINE_ASSIGN(const double high, rope.positive_or("high_freq_factor", 4.0));
    if (!(high > low))
        return fail(Code::malformed,
                    fmt::format("{}: \"high_freq_factor\" must be above \"low_freq_factor\".", rope.path()));
    for (float& frequency : rotary.inverse_frequency) {
        const float wavelength = static_cast<float>(2 * std::numbers::pi) / frequency;
        if (wavelength < static_cast<float>(original / high)) continue;
        if (wavelength > static_cast<float>(original / low)) {
            frequency /= static_cast<float>(factor);
            continue;
        }
        const float smooth = (static_cast<float>(original) / wavelength - static_cast<float>(low)) /
                             static_cast<float>(high - low);
        frequency = (1 - smooth) * frequency / static_cast<float>(factor) + smooth * frequency;
    }
    return {};
}

/// 0.1 · weight · ln(factor) + 1 (Peng et al. 2023).
double yarn_scale(double factor, double weight) {
    return factor <= 1 ? 1.0 : 0.1 * weight * std::log(factor) + 1.0;
}

Status yarn(RotarySpec& rotary, const Parameters& found, const ModelSpec& spec, int original) {
    const Config& rope = found.rope;
    VITRINE_ASSIGN(const double factor,
                   rope.positive_or("factor", static_cast<double>(spec.context) / original));
    VITRINE_ASSIGN(const double fast, rope.positive_or("beta_fast", 32.0));
    VITRINE_ASSIGN(const double slow, rope.positive_or("beta_slow", 1.0));
    VITRINE_ASSIGN(const double mscale, rope.number_or("mscale", 0.0));
    VITRINE_ASSIGN(const double mscale_all, rope.number_or("mscale_all_dim", 0.0));
    VITRINE_ASSIGN(const bool truncate, rope.flag_or("truncate", true));
    const double usual = mscale != 0 && mscale_all != 0
                             ? yarn_scale(factor, mscale) / yarn_scale(factor, mscale_all)
                             : yarn_scale(factor, 1);
    VITRINE_ASSIGN(const double scale, rope.positive_or("attention_factor", usual));
    rotary.scale = static_cast<float>(scale);
    // The pair that makes `turns` turns within the original context.
    const auto pair_of = [&](double turns) {
        return rotary.dims * std::log(original / (turns * 2 * std::numbers::pi)) /
               (2 * std::log(found.theta));
    };
    double low = pair_of(fast), high = pair_of(slow);
    if (truncate) {
        low = std::floor(low);
        high = std::ceil(high);
    }
    low = std::max(low, 0.0);
    high = std::min(high, rotary.dims - 1.0);
    if (low == high) high += 0.001;
    const std::vector<float> base = powers(found.theta, rotary.dims);
    for (std::size_t i = 0; i < base.size(); ++i) {
        const float ramp =
            std::clamp(static_cast<float>((static_cast<double>(i) - low) / (high - low)), 0.0F, 1.0F);
        rotary.inverse_frequency[i] =
            1.0F / (static_cast<float>(factor) * base[i]) * ramp + 1.0F / base[i] * (1 - ramp);
    }
    return {};
}

Status longrope(RotarySpec& rotary, const Parameters& found, const ModelSpec& spec, int original) {
    const Config& rope = found.rope;
    VITRINE_ASSIGN(const auto shorter, rope.numbers("short_factor", rotary.dims / 2));
    VITRINE_ASSIGN(const auto longer, rope.numbers("long_factor", rotary.dims / 2));
    VITRINE_TRY(rope.only("short_mscale", nullptr));
    VITRINE_TRY(rope.only("long_mscale", nullptr));
    VITRINE_ASSIGN(const double factor,
                   rope.positive_or("factor", static_cast<double>(spec.context) / original));
    const double usual = factor <= 1 ? 1.0 : std::sqrt(1 + std::log(factor) / std::log(original));
    VITRINE_ASSIGN(const double scale, rope.positive_or("attention_factor", usual));
    rotary.scale = static_cast<float>(scale);
    rotary.long_from = original;
    const std::vector<float> base = powers(found.theta, rotary.dims);
    for (std::size_t i = 0; i < base.size(); ++i) {
        rotary.inverse_frequency[i] = 1.0F / (static_cast<float>(shorter[i]) * base[i]);
        rotary.long_inverse_frequency.push_back(1.0F / (static_cast<float>(longer[i]) * base[i]));
    }
    return {};
}

} // namespace

RotarySpec plain_rope(int dims, double theta) {
    RotarySpec rotary;
    rotary.dims = dims;
    for (const float power : powers(theta, dims))
        rotary.inverse_frequency.push_back(1.0F / power);
    return rotary;
}

Result<RotarySpec> rope_of(const Config& config, const ModelSpec& spec, const RopeDefaults& defaults) {
    VITRINE_ASSIGN(const Parameters found, parameters_of(config, spec, defaults));
    RotarySpec rotary = plain_rope(found.dims, found.theta);
    if (found.type == "default") return rotary;
    if (found.type == "linear") {
        VITRINE_ASSIGN(const double factor, factor_of(found.rope));
        for (float& frequency : rotary.inverse_frequency)
            frequency /= static_cast<float>(factor);
        return rotary;
    }
    if (found.type == "divisors") { // of GGUF: a divisor for each frequency
        VITRINE_ASSIGN(const auto divisors, found.rope.numbers("divisors", found.dims / 2));
        for (std::size_t i = 0; i < divisors.size(); ++i)
            rotary.inverse_frequency[i] /= static_cast<float>(divisors[i]);
        return rotary;
    }
    if (found.type == "dynamic") {
        VITRINE_ASSIGN(rotary.dynamic_factor, factor_of(found.rope));
        if (rotary.dims == 2)
            return fail(
                Code::malformed,
                fmt::format("{}: dynamic scaling needs more than 2 rotated dimensions.", config.path()));
        rotary.dynamic_theta = found.theta;
        rotary.long_from = spec.context;
        return rotary;
    }
    VITRINE_ASSIGN(const int original, original_context(config, found.rope, spec, defaults));
    if (found.type == "llama3") {
        VITRINE_TRY(llama3(rotary, found.rope, original));
    } else if (found.type == "yarn") {
        VITRINE_TRY(yarn(rotary, found, spec, original));
    } else if (found.type == "longrope") {
        VITRINE_TRY(longrope(rotary, found, spec, original));
    } else {
        return fail(
            Code::unsupported,
            fmt::format("{}: the scaling \"{}\" of rotary positions is unknown to this version, which "
                        "knows default, linear, dynamic, yarn, longrope and llama3.",
                        config.path(), found.type));
    }
    return rotary;
}

Status rotate_all(ModelSpec& spec, const Config& config, const RopeDefaults& defaults) {
    VITRINE_ASSIGN(RotarySpec rotary, rope_of(config, spec, defaults));
    spec.positional = Positional::rotary;
    if (rotary.dynamic_factor > 1)
        spec.context = static_cast<int>(std::min(rotary.dynamic_factor * spec.context, 0x1p30));
    spec.rotaries = {std::move(rotary)};
    return {};
}

} // namespace vitrine::model
