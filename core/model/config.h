#pragma once
// Reading config.json: members with a type, a range, and a sentence when they are wrong.
#include <cstdint>
#include <functional>
#include <initializer_list>
#include <string>
#include <vector>

#include "core/base/json.h"
#include "core/model/spec.h"

namespace vitrine::model {

class Config {
public:
    Config(const Json& json, std::string path) : json_(json), path_(std::move(path)) {}

    /// Whether a member is there and not null.
    bool has(const char* key) const;

    /// A whole number in [1, 2^30]; malformed if absent (without fallback), of another type or outside.
    Result<int> count(const char* key) const;
    Result<int> count_or(const char* key, int fallback) const;
    /// The first of several spellings that is there; malformed, naming them all, if none is.
    Result<int> count_of(std::initializer_list<const char*> keys) const;
    /// A finite number.
    Result<double> number_or(const char* key, double fallback) const;
    /// A number above zero.
    Result<double> positive_or(const char* key, double fallback) const;
    Result<bool> flag_or(const char* key, bool fallback) const;
    Result<std::string> text_or(const char* key, std::string fallback) const;
    /// A list of numbers; malformed if absent or of another length than `size`.
    Result<std::vector<double>> numbers(const char* key, int size) const;

    /// unsupported, by name, if a member is there, not null, and not `computed`; null: it must not be there.
    Status only(const char* key, const Json& computed) const;

    const Json& json() const { return json_; }
    /// "…/config.json", for sentences.
    const std::string& path() const { return path_; }

private:
    Result<int> checked(const char* key, double value) const;

    const Json& json_;
    std::string path_;
};

/// "silu", "gelu_new", … of a config; unsupported by name otherwise.
Result<Activation> activation_of(const Config& config, const char* key, const char* fallback);

/// Layers, widths, heads, vocabulary and context under any of the names that families give them, the scale
/// 1/√d_head, and whether the unembedding is tied (`tied` where the config does not say). `mlp_ratio`: d_ff
/// is that many times d_model unless the config has it; 0: the config must.
Result<ModelSpec> sizes_of(const Config& config, const char* family, bool tied, int mlp_ratio = 0);

/// malformed unless the heads are a multiple of the key-value heads.
Status check_key_heads(const Config& config, const ModelSpec& spec);

/// Windows by layer: `layer_types` of the config decides, else `slides`. `window` 0 (none in the config): no
/// layer has one. Types of layers other than full and sliding attention are refused by name.
Result<std::vector<int>> windows_of(const Config& config, const ModelSpec& spec, int window,
                                    const std::function<bool(int)>& slides);

/// The config's sliding_window for every layer.
Result<std::vector<int>> same_window(const Config& config, const ModelSpec& spec);

} // namespace vitrine::model
