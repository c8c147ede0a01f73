#include "core/model/config.h"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace vitrine::model {

bool Config::has(const char* key) const { return json_.contains(key) && !json_[key].is_null(); }

Result<int> Config::checked(const char* key, double value) const {
    if (!(value >= 1) || value > (1 << 30) || value != std::floor(value))
        return fail(
            Code::malformed,
            fmt::format("{}: \"{}\" is {}, but must be a whole number from 1 to 2^30.", path_, key, value));
    return static_cast<int>(value);
}

Result<int> Config::count(const char* key) const {
    if (!has(key)) return fail(Code::malformed, fmt::format("{} has no \"{}\".", path_, key));
    return count_or(key, 0);
}

Result<int> Config::count_or(const char* key, int fallback) const {
    VITRINE_ASSIGN(const double value, number_or(key, fallback));
    return checked(key, value);
}

Result<int> Config::count_of(std::initializer_list<const char*> keys) const {
    for (const char* key : keys)
        if (has(key)) return count(key);
    return fail(Code::malformed, fmt::format("{} has none of \"{}\".", path_, fmt::join(keys, "\", \"")));
}

Result<double> Config::number_or(const char* key, double fallback) const {
    // The JSON library would take true for 1.
    if (has(key) && !json_[key].is_number())
        return fail(Code::malformed, fmt::format("{}: \"{}\" must be a number.", path_, key));
    VITRINE_ASSIGN(const double value, member_or<double>(json_, key, fallback, path_));
    if (!std::isfinite(value))
        return fail(Code::malformed, fmt::format("{}: \"{}\" must be finite.", path_, key));
    return value;
}

Result<double> Config::positive_or(const char* key, double fallback) const {
    VITRINE_ASSIGN(const double value, number_or(key, fallback));
    if (!(value > 0))
        return fail(Code::malformed,
                    fmt::format("{}: \"{}\" is {}, but must be above zero.", path_, key, value));
    return value;
}

Result<bool> Config::flag_or(const char* key, bool fallback) const {
    return member_or<bool>(json_, key, fallback, path_);
}

Result<std::string> Config::text_or(const char* key, std::string fallback) const {
    return member_or<std::string>(json_, key, std::move(fallback), path_);
}

Result<std::vector<double>> Config::numbers(const char* key, int size) const {
    const auto wrong = [&] {
        return fail(Code::malformed,
                    fmt::format("{}: \"{}\" must be a list of {} numbers.", path_, key, size));
    };
    if (!has(key) || !json_[key].is_array() || json_[key].size() != static_cast<std::size_t>(size))
        return wrong();
    std::vector<double> numbers;
    for (const Json& number : json_[key]) {
        if (!number.is_number()) return wrong();
        numbers.push_back(number.get<double>());
    }
    return numbers;
}

Status Config::only(const char* key, const Json& computed) const {
    if (!has(key) || json_[key] == computed) return {};
    const std::string found = dump_json(json_[key]).substr(0, 60);
    return fail(Code::unsupported,
                fmt::format("{}: \"{}\" is {}; this version computes the model only {}.", path_, key, found,
                            computed.is_null() ? "without it" : "with " + dump_json(computed)));
}

Result<Activation> activation_of(const Config& config, const char* key, const char* fallback) {
    VITRINE_ASSIGN(const std::string name, config.text_or(key, fallback));
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

constexpr int widest_model = 1 << 20; // its multiples for MLPs stay within int

/// Beyond any model there is; what the spec lists by layer, head and frequency stays small.
Status check_limits(const Config& config, const ModelSpec& spec) {
    constexpr int most_layers = 1 << 14, most_heads = 1 << 14, widest_head = 1 << 16;
    if (spec.layers <= most_layers && spec.heads <= most_heads && spec.d_head <= widest_head) return {};
    return fail(
        Code::malformed,
        fmt::format("{}: {} layers of {} heads of width {} are more than a model can have ({}, {}, {}).",
                    config.path(), spec.layers, spec.heads, spec.d_head, most_layers, most_heads,
                    widest_head));
}

} // namespace

Result<ModelSpec> sizes_of(const Config& config, const char* family, bool tied, int mlp_ratio) {
    ModelSpec spec;
    spec.family = family;
    VITRINE_ASSIGN(spec.layers, config.count_of({"num_hidden_layers", "n_layer", "n_layers", "num_layers"}));
    VITRINE_ASSIGN(spec.d_model, config.count_of({"hidden_size", "n_embd", "d_model", "n_embed"}));
    if (spec.d_model > widest_model)
        return fail(Code::malformed, fmt::format("{}: the width {} is more than a model can have ({}).",
                                                 config.path(), spec.d_model, widest_model));
    VITRINE_ASSIGN(spec.heads, config.count_of({"num_attention_heads", "n_head", "n_heads", "num_heads"}));
    VITRINE_ASSIGN(spec.kv_heads, config.count_or("num_key_value_heads", spec.heads));
    VITRINE_ASSIGN(spec.vocab, config.count("vocab_size"));
    VITRINE_ASSIGN(spec.tied, config.flag_or("tie_word_embeddings", tied));
    spec.context = 2048; // the default of nearly all configs
    for (const char* key : {"max_position_embeddings", "n_positions", "max_seq_len", "seq_length"})
        if (config.has(key)) {
            VITRINE_ASSIGN(spec.context, config.count(key));
            break;
        }
    const auto widths = {"intermediate_size", "n_inner", "ffn_dim", "ffn_hidden_size"};
    const bool has_width =
        std::any_of(widths.begin(), widths.end(), [&](auto key) { return config.has(key); });
    if (has_width || mlp_ratio == 0) {
        VITRINE_ASSIGN(spec.d_ff, config.count_of(widths));
    } else {
        spec.d_ff = mlp_ratio * spec.d_model;
    }
    if (config.has("head_dim")) {
        VITRINE_ASSIGN(spec.d_head, config.count("head_dim"));
    } else {
        spec.d_head = spec.d_model / spec.heads;
        if (spec.d_model % spec.heads != 0)
            return fail(Code::malformed, fmt::format("{}: the width {} is no multiple of the {} heads.",
                                                     config.path(), spec.d_model, spec.heads));
    }
    VITRINE_TRY(check_limits(config, spec));
    VITRINE_TRY(check_key_heads(config, spec));
    spec.attention_scale = 1.0F / std::sqrt(static_cast<float>(spec.d_head));
    return spec;
}

Status check_key_heads(const Config& config, const ModelSpec& spec) {
    if (spec.heads % spec.kv_heads == 0) return {};
    return fail(Code::malformed, fmt::format("{}: the {} heads are no multiple of the {} key-value heads.",
                                             config.path(), spec.heads, spec.kv_heads));
}

Result<std::vector<int>> windows_of(const Config& config, const ModelSpec& spec, int window,
                                    const std::function<bool(int)>& slides) {
    std::vector<int> windows(static_cast<std::size_t>(spec.layers), 0);
    const bool listed = config.has("layer_types");
    const Json types = listed ? config.json()["layer_types"] : Json::array();
    if (listed && (!types.is_array() || types.size() != windows.size()))
        return fail(Code::malformed, fmt::format("{}: \"layer_types\" must be a list of {} names.",
                                                 config.path(), spec.layers));
    for (std::size_t layer = 0; layer < windows.size(); ++layer) {
        if (listed && types[layer] != "full_attention" && types[layer] != "sliding_attention")
            return fail(Code::unsupported,
                        fmt::format("{}: \"layer_types\" holds {}; full_attention and sliding_attention are "
                                    "supported.",
                                    config.path(), dump_json(types[layer])));
        const bool sliding = listed ? types[layer] == "sliding_attention" : slides(static_cast<int>(layer));
        if (sliding) windows[layer] = window;
    }
    return windows;
}

Result<std::vector<int>> same_window(const Config& config, const ModelSpec& spec) {
    if (!config.has("sliding_window")) return std::vector<int>{};
    VITRINE_ASSIGN(const int window, config.count("sliding_window"));
    return windows_of(config, spec, window, [](int) { return true; });
}

} // namespace vitrine::model
