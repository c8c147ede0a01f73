#pragma once
// Reading config.json: members with a type, a range, and a sentence when they are wrong.
#include <cstdint>
#include <string>
#include <vector>

#include "core/base/json.h"
#include "core/model/spec.h"

namespace vitrine::model {

class Config {
public:
    Config(const Json& json, std::string path) : json_(json), path_(std::move(path)) {}

    /// A whole number in [1, 2^30]; malformed if absent (without fallback), of another type or outside.
    Result<int> count(const char* key) const;
    Result<int> count_or(const char* key, int fallback) const;
    Result<double> number_or(const char* key, double fallback) const;
    Result<bool> flag_or(const char* key, bool fallback) const;
    Result<std::string> text_or(const char* key, std::string fallback) const;

    const Json& json() const { return json_; }
    /// "…/config.json", for sentences.
    const std::string& path() const { return path_; }

private:
    Result<int> checked(const char* key, double value) const;

    const Json& json_;
    std::string path_;
};

/// "silu", "gelu_new", … of a config; unsupported by name otherwise.
Result<Activation> activation_of(const Config& config, const std::string& name);

/// Inverse frequencies of a config in either form (rope_theta and rope_scaling, or rope_parameters):
/// default, linear and llama3; other types are refused by name.
Result<RotarySpec> rotary_of(const Config& config, int dims, double default_theta);

} // namespace vitrine::model
