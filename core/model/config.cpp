#include "core/model/config.h"

#include <cmath>
#include <numbers>

#include <fmt/format.h>

namespace vitrine::model {

Result<int> Config::checked(const char* key, double value) const {
    if (!(value >= 1) || value > (1 << 30) || value != std::floor(value))
        return fail(
            Code::malformed,
            fmt::format("{}: \"{}\" is {}, but must be a whole number from 1 to 2^30.", path_, key, value));
    return static_cast<int>(value);
}

Result<int> Config::count(const char* key) const {
    if (!json_.contains(key) || json_[key].is_null())
        return fail(Code::malformed, fmt::format("{} has no \"{}\".", path_, key));
    VITRINE_ASSIGN(const double value, member_or<double>(json_, key, 0, path_));
    return checked(key, value);
}

Result<int> Config::count_or(const char* key, int fallback) const {
    VITRINE_ASSIGN(const double value, member_or<double>(json_, key, fallback, path_));
    return checked(key, value);
}

Result<double> Config::number_or(const char* key, double fallback) const {
    return member_or<double>(json_, key, fallback, path_);
}

Result<bool> Config::flag_or(const char* key, bool fallback) const {
    return member_or<bool>(json_, key, fallback, path_);
}

Result<std::string> Config::text_or(const char* key, std::string fallback) const {
    return member_or<std::string>(json_, key, std::move(fallback), path_);
}

Result<Activation> activation_of(const Config& config, const std::string& name) {
    if (name == "silu" || name == "swish") return Activation::silu;
    if (name == "gelu") return Activation::gelu;
    if (name == "gelu_new" || name == "gelu_pytorch_tanh" || name == "gelu_fast")
        return Activation::gelu_tanh;
    if (name == "relu") return Activation::relu;
    return fail(
        Code::unsupported,
        fmt::format("{}: the activation \"{}\" is not supported; silu, gelu, gelu_new, gelu_pytorch_tanh and "
                    "relu are.",
                    config.path(), name));
}

namespace {

/// Llama 3's stretching of long wavelengths; L is the original context.
void scale_llama3(std::vector<float>& frequencies, double factor, double low, double high, double original) {
    for (float& frequency : frequencies) {
        const double wavelength = 2 * std::numbers::pi / static_cast<double>(frequency);
        if (wavelength < original / high) continue;
        if (wavelength > original / low) {
            frequency = static_cast<float>(frequency / factor);
            continue;
        }
        const double smooth = (original / wavelength - low) / (high - low);
        frequency = static_cast<float>((1 - smooth) * frequency / factor + smooth * frequency);
    }
}

} // namespace

Result<RotarySpec> rotary_of(const Config& config, int dims, double default_theta) {
    static const Json none = Json::object();
    const Json& json = config.json();
    const bool newer = json.contains("rope_parameters") && json["rope_parameters"].is_object();
    const bool scaled = json.contains("rope_scaling") && json["rope_scaling"].is_object();
    const Config rope(newer ? json["rope_parameters"] : scaled ? json["rope_scaling"] : none, config.path());
    VITRINE_ASSIGN(double theta, config.number_or("rope_theta", default_theta));
    if (newer) {
        VITRINE_ASSIGN(theta, rope.number_or("rope_theta", theta));
    }
    VITRINE_ASSIGN(const std::string older_type, rope.text_or("type", "default"));
    VITRINE_ASSIGN(const std::string type, rope.text_or("rope_type", older_type));
    if (dims % 2 != 0 || !(theta > 0))
        return fail(Code::malformed,
                    fmt::format("{}: rotary embedding of {} dimensions with theta {} cannot be.",
                                config.path(), dims, theta));
    RotarySpec rotary;
    rotary.dims = dims;
    // In float32, as transformers computes them: the power of a float32 base, then its reciprocal.
    for (int i = 0; i < dims; i += 2) {
        const float exponent = static_cast<float>(i) / static_cast<float>(dims);
        rotary.inverse_frequency.push_back(1.0F / std::pow(static_cast<float>(theta), exponent));
    }
    if (type == "default") return rotary;
    VITRINE_ASSIGN(const double factor, rope.number_or("factor", 1.0));
    if (type == "linear") {
        for (float& frequency : rotary.inverse_frequency)
            frequency /= static_cast<float>(factor);
        return rotary;
    }
    if (type == "divisors") { // of GGUF: a divisor for each frequency
        const Json list = rope.json().value("divisors", Json::array());
        if (list.size() != rotary.inverse_frequency.size())
            return fail(Code::malformed,
                        fmt::format("{}: there are {} divisors of {} frequencies.", config.path(),
                                    list.size(), rotary.inverse_frequency.size()));
        for (std::size_t i = 0; i < list.size(); ++i)
            rotary.inverse_frequency[i] /= list[i].get<float>();
        return rotary;
    }
    if (type == "llama3") {
        VITRINE_ASSIGN(const double low, rope.number_or("low_freq_factor", 1.0));
        VITRINE_ASSIGN(const double high, rope.number_or("high_freq_factor", 4.0));
        VITRINE_ASSIGN(const double original, rope.number_or("original_max_position_embeddings", 8192));
        scale_llama3(rotary.inverse_frequency, factor, low, high, original);
        return rotary;
    }
    return fail(Code::unsupported,
                fmt::format("{}: the rope type \"{}\" is not supported yet; default, linear and llama3 are.",
                            config.path(), type));
}

} // namespace vitrine::model
