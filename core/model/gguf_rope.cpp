#include "core/model/gguf_rope.h"

#include <cmath>

#include <fmt/format.h>

#include "core/base/utf8.h"

namespace vitrine::model {

namespace {

std::vector<float> values_of(const formats::StoredTensor& tensor) {
    std::vector<float> values(static_cast<std::size_t>(tensor.view.size()));
    widen(tensor.view.dtype, tensor.view.data, values);
    return values;
}

/// The share of a head whose product with its width, cut to a whole number, is `dims`.
double share_of(std::int64_t dims, std::int64_t width) {
    const double share = static_cast<double>(dims) / static_cast<double>(width);
    return static_cast<std::int64_t>(share * static_cast<double>(width)) == dims ? share
                                                                                 : std::nextafter(share, 2.0);
}

Status add_scaling(const GgufSource& source, Json& rope) {
    const std::string type(source.model.metadata.text(source.key("rope.scaling.type")).value_or("none"));
    VITRINE_TRY(check_utf8(type, fmt::format("{}: {}", source.path, source.key("rope.scaling.type"))));
    const double factor = source.number("rope.scaling.factor").value_or(1.0);
    const auto* divisors = source.tensor("rope_freqs.weight");
    const auto* short_factors = source.tensor("rope_factors_short.weight");
    const auto* long_factors = source.tensor("rope_factors_long.weight");
    if (short_factors != nullptr && long_factors != nullptr) {
        rope["rope_type"] = "longrope";
        rope["short_factor"] = values_of(*short_factors);
        rope["long_factor"] = values_of(*long_factors);
        if (const auto scale = source.number("rope.scaling.attn_factor")) rope["attention_factor"] = *scale;
    } else if (divisors != nullptr) {
        // Divisors of the frequencies, one a pair: what Llama 3's stretching comes to.
        rope["rope_type"] = "divisors";
        rope["divisors"] = values_of(*divisors);
    } else if (type == "linear") {
        rope["rope_type"] = "linear";
        rope["factor"] = factor;
    } else if (type == "yarn") {
        for (const char* other : {"rope.scaling.yarn_log_multiplier", "rope.scaling.yarn_ext_factor"})
            if (source.number(other).value_or(0.0) != 0.0)
                return fail(Code::unsupported,
                            fmt::format("{}: {} is not supported.", source.path, source.key(other)));
        rope["rope_type"] = "yarn";
        rope["factor"] = factor;
        if (const auto fast = source.number("rope.scaling.yarn_beta_fast")) rope["beta_fast"] = *fast;
        if (const auto slow = source.number("rope.scaling.yarn_beta_slow")) rope["beta_slow"] = *slow;
        if (const auto scale = source.number("rope.scaling.attn_factor"); scale && factor > 0)
            rope["attention_factor"] = *scale * (0.1 * std::log(factor) + 1);
    } else if (type != "none") {
        return fail(Code::unsupported,
                    fmt::format("{}: the rotation's scaling \"{}\" is not supported in GGUF form.",
                                source.path, type));
    }
    return {};
}

} // namespace

Status add_gguf_rotation(const GgufSource& source, std::int64_t head_width, Json& config) {
    Json rope = {{"rope_type", "default"}, {"rope_theta", source.number("rope.freq_base").value_or(10000.0)}};
    const std::int64_t dims = source.integer("rope.dimension_count").value_or(head_width);
    if (dims < 1 || dims > head_width)
        return fail(Code::malformed, fmt::format("{}: {} is {}, but heads are {} wide.", source.path,
                                                 source.key("rope.dimension_count"), dims, head_width));
    rope["partial_rotary_factor"] = share_of(dims, head_width);
    VITRINE_TRY(add_scaling(source, rope));
    if (const auto original = source.integer("rope.scaling.original_context_length"))
        config["original_max_position_embeddings"] = *original;
    config["rope_parameters"] = std::move(rope);
    return {};
}

} // namespace vitrine::model
