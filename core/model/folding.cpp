#include "core/model/folding.h"

#include <algorithm>
#include <array>
#include <numeric>

#include <fmt/format.h>

namespace vitrine::model {

namespace {

/// "blocks.3." and "attn.W_Q" of "blocks.3.attn.W_Q"; an empty block for what stands outside of them.
struct Place {
    std::string block, rest;
};

Place place_of(const std::string& name) {
    if (!name.starts_with("blocks.")) return {"", name};
    const std::size_t end = name.find('.', 7) + 1;
    return {name.substr(0, end), name.substr(end)};
}

template <std::size_t N>
bool is_one_of(const std::string& text, const std::array<const char*, N>& list) {
    return std::find(list.begin(), list.end(), text) != list.end();
}

// What reads the residual stream and what writes into it, after W_ or b_; "unembed.U" stands for the last.
constexpr std::array reading_parts{"attn.Q", "attn.K", "attn.V", "mlp.gate", "mlp.in", "unembed.U"};
constexpr std::array writing_parts{"attn.O", "mlp.out"};
constexpr std::array residual_hooks{"hook_embed",      "hook_pos_embed", "hook_resid_pre", "hook_resid_mid",
                                    "hook_resid_post", "hook_attn_in",   "hook_q_input",   "hook_k_input",
                                    "hook_v_input",    "hook_mlp_in",    "hook_attn_out",  "hook_mlp_out",
                                    "attn.hook_out",   "mlp.hook_out"};

/// "attn.Q" of "attn.W_Q" or "attn.b_Q"; empty if the name has no such letter.
std::string part_of(const std::string& rest, const char* letter) {
    const std::size_t at = rest.find(letter);
    return at == std::string::npos ? "" : rest.substr(0, at) + rest.substr(at + 2);
}

/// The name of a part's matrix ("W") or bias ("b").
std::string name_with(const std::string& block, const std::string& part, const char* letter) {
    const std::size_t dot = part.find('.') + 1;
    return fmt::format("{}{}{}_{}", block, part.substr(0, dot), letter, part.substr(dot));
}

double mean_of(const double* first, std::size_t count) {
    return std::accumulate(first, first + count, 0.0) / static_cast<double>(count);
}

/// Takes the mean off every run of `width` numbers.
void centre(std::vector<float>& data, std::size_t width) {
    for (std::size_t first = 0; first < data.size(); first += width) {
        double mean = 0;
        for (std::size_t i = 0; i < width; ++i)
            mean += static_cast<double>(data[first + i]);
        mean /= static_cast<double>(width);
        for (std::size_t i = 0; i < width; ++i)
            data[first + i] = static_cast<float>(static_cast<double>(data[first + i]) - mean);
    }
}

void centre(std::vector<double>& data, std::size_t width) {
    for (std::size_t first = 0; first < data.size(); first += width) {
        const double mean = mean_of(data.data() + first, width);
        for (std::size_t i = 0; i < width; ++i)
            data[first + i] -= mean;
    }
}

} // namespace

Status Folding::possible(const ModelSpec& spec) {
    if (spec.embed_width > 0)
        return fail(Code::unsupported,
                    "Folded coordinates are not defined for this model, whose embedding is "
                    "narrower than its residual stream: use raw ones.");
    const bool simple = spec.norm_place == NormPlace::before && spec.final_norm;
    if (spec.norm.kind == NormKind::layer && !simple)
        return fail(Code::unsupported,
                    "Folded coordinates are not defined for this model, in which not all that reads the "
                    "residual stream does so through a LayerNorm: use raw ones.");
    return {};
}

std::optional<Tensor> Folding::raw(const std::string& name) const {
    const WeightId id = model_.find(name);
    if (id == no_weight) return std::nullopt;
    return widened(model_.at(id));
}

Folding::Vector Folding::vector(const std::string& name) const {
    const auto tensor = raw(name);
    return tensor ? Vector(tensor->data.begin(), tensor->data.end()) : Vector();
}

/// The norm that a part reads the residual stream through; empty if there is none.
std::string Folding::norm_before(const std::string& block, const std::string& part) const {
    const ModelSpec& spec = model_.spec;
    if (part == "unembed.U") return spec.final_norm ? "ln_final" : "";
    if (!spec.norms_before()) return "";
    return block + (part.starts_with("attn.") || spec.shared_norm ? "ln1" : "ln2");
}

/// b + (the norm's b) · W, with raw W; the mean over the vocabulary is off the unembedding's.
Folding::Vector Folding::read_bias(const std::string& block, const std::string& part) const {
    Vector bias = vector(name_with(block, part, "b"));
    const std::string norm = norm_before(block, part);
    const Vector norm_bias = norm.empty() ? Vector() : vector(norm + ".b");
    if (!norm_bias.empty()) {
        const auto matrix = raw(name_with(block, part, "W"));
        const auto cols = static_cast<std::size_t>(matrix->shape[1]);
        bias.resize(cols, 0.0);
        for (std::size_t r = 0; r < norm_bias.size(); ++r)
            for (std::size_t c = 0; c < cols; ++c)
                bias[c] += norm_bias[r] * static_cast<double>(matrix->data[r * cols + c]);
    }
    if (part == "unembed.U" && centres_logits() && !bias.empty()) centre(bias, bias.size());
    return bias;
}

Folding::Vector Folding::value_bias(const std::string& block) const {
    if (!moves_values()) return {};
    const auto [found, fresh] = kept_.try_emplace(block + "value_bias");
    if (fresh) found->second = read_bias(block, "attn.V");
    return found->second;
}

Folding::Vector Folding::result_bias(const std::string& block) const {
    const auto [found, fresh] = kept_.try_emplace(block + "result_bias");
    if (!fresh) return found->second;
    const Vector values = value_bias(block);
    if (values.empty()) return {};
    const ModelSpec& spec = model_.spec;
    const auto output = raw(block + "attn.W_O");
    const auto width = static_cast<std::size_t>(spec.d_model);
    const auto head_width = static_cast<std::size_t>(spec.d_head);
    const auto group = static_cast<std::size_t>(spec.heads / spec.kv_heads);
    Vector sums(static_cast<std::size_t>(spec.heads) * width);
    for (std::size_t row = 0; row < static_cast<std::size_t>(spec.heads) * head_width; ++row) {
        const std::size_t head = row / head_width;
        const double value = values[head / group * head_width + row % head_width];
        for (std::size_t c = 0; c < width; ++c)
            sums[head * width + c] += value * static_cast<double>(output->data[row * width + c]);
    }
    return found->second = std::move(sums);
}

Folding::Vector Folding::write_bias(const std::string& block, const std::string& part) const {
    Vector bias = vector(name_with(block, part, "b"));
    const auto width = static_cast<std::size_t>(model_.spec.d_model);
    if (part == "attn.O") {
        const Vector moved = result_bias(block);
        if (!moved.empty()) bias.resize(width, 0.0);
        for (std::size_t i = 0; i < moved.size(); ++i)
            bias[i % width] += moved[i];
    }
    if (centred_ && !bias.empty()) centre(bias, width);
    return bias;
}

/// diag(the norm's w) · W; for LayerNorm each column's mean is taken off, since what it reads has mean zero;
/// for the unembedding then each row's.
template <typename T>
FoldedWeight<T> Folding::reading(const std::string& block, const std::string& part) const {
    const auto matrix = raw(name_with(block, part, "W"));
    const auto rows = static_cast<std::size_t>(matrix->shape[0]);
    const auto cols = static_cast<std::size_t>(matrix->shape[1]);
    const std::string norm = norm_before(block, part);
    Vector scale = norm.empty() ? Vector() : vector(norm + ".w");
    scale.resize(rows, 1.0);
    Vector column(cols); // mean of each
    if (centred_ && !norm.empty()) {
        for (std::size_t r = 0; r < rows; ++r)
            for (std::size_t c = 0; c < cols; ++c)
                column[c] += scale[r] * static_cast<double>(matrix->data[r * cols + c]);
        for (double& mean : column)
            mean /= static_cast<double>(rows);
    }
    FoldedWeight<T> out{matrix->shape[0], matrix->shape[1], std::vector<T>(matrix->data.size())};
    Vector line(cols);
    for (std::size_t r = 0; r < rows; ++r) {
        for (std::size_t c = 0; c < cols; ++c)
            line[c] = scale[r] * static_cast<double>(matrix->data[r * cols + c]) - column[c];
        if (part == "unembed.U" && centres_logits()) centre(line, cols);
        std::transform(line.begin(), line.end(), out.data.begin() + static_cast<std::ptrdiff_t>(r * cols),
                       [](double x) { return static_cast<T>(x); });
    }
    return out;
}

template <typename T>
FoldedWeight<T> Folding::writing(const Tensor& raw) const {
    FoldedWeight<T> out{raw.shape[0], raw.shape[1], std::vector<T>(raw.data.size())};
    const auto width = static_cast<std::size_t>(raw.shape[1]);
    Vector line(width);
    for (std::size_t first = 0; first < raw.data.size(); first += width) {
        std::copy_n(raw.data.begin() + static_cast<std::ptrdiff_t>(first), width, line.begin());
        if (centred_) centre(line, width);
        std::transform(line.begin(), line.end(), out.data.begin() + static_cast<std::ptrdiff_t>(first),
                       [](double x) { return static_cast<T>(x); });
    }
    return out;
}

template <typename T>
std::optional<FoldedWeight<T>> Folding::folded(const std::string& name) const {
    const auto [block, rest] = place_of(name);
    const auto as_row = [](const Vector& values) -> std::optional<FoldedWeight<T>> {
        if (values.empty()) return std::nullopt;
        return FoldedWeight<T>{1, static_cast<std::int64_t>(values.size()),
                               std::vector<T>(values.begin(), values.end())};
    };
    const std::string bias = part_of(rest, "b_");
    if (bias == "attn.V" && moves_values()) return std::nullopt;
    if (is_one_of(bias, reading_parts)) return as_row(read_bias(block, bias));
    if (is_one_of(bias, writing_parts)) return as_row(write_bias(block, bias));
    if (model_.find(name) == no_weight) return std::nullopt;
    const std::string matrix = part_of(rest, "W_");
    if (is_one_of(matrix, reading_parts)) return reading<T>(block, matrix);
    // The norms whose weights have become part of others.
    for (const char* norm : {"ln1.", "ln2.", "ln_final."})
        if (rest.starts_with(norm) && (block.empty() || model_.spec.norms_before())) return std::nullopt;
    const auto tensor = raw(name);
    if (is_one_of(matrix, writing_parts) || rest == "W_pos" || (rest == "W_E" && !model_.spec.embed_norm))
        return writing<T>(*tensor);
    return FoldedWeight<T>{tensor->shape[0], tensor->shape[1],
                           std::vector<T>(tensor->data.begin(), tensor->data.end())};
}

template std::optional<FoldedWeight<float>> Folding::folded(const std::string& name) const;
template std::optional<FoldedWeight<double>> Folding::folded(const std::string& name) const;

std::optional<Tensor> Folding::weight(const std::string& name) const {
    auto found = folded<float>(name);
    if (!found) return std::nullopt;
    return Tensor({found->rows, found->cols}, std::move(found->data));
}

std::optional<std::string> Folding::stands_for(const std::string& hook) const {
    const auto [block, rest] = place_of(hook);
    const ModelSpec& spec = model_.spec;
    if (rest == "unembed.hook_in" && spec.final_norm) return "ln_final.hook_normalized";
    if (!spec.norms_before()) return std::nullopt;
    if (rest == "ln1.hook_out") return block + "ln1.hook_normalized";
    if (rest == "mlp.hook_in") return block + (spec.shared_norm ? "ln1" : "ln2") + ".hook_normalized";
    return std::nullopt;
}

void Folding::read_out(const std::string& hook, Tensor& value) const {
    const auto [block, rest] = place_of(hook);
    const auto width = static_cast<std::size_t>(value.shape.back());
    const auto take_off = [&](const Vector& bias) {
        for (std::size_t i = 0; i < value.data.size() && !bias.empty(); ++i)
            value.data[i] = static_cast<float>(static_cast<double>(value.data[i]) - bias[i % bias.size()]);
    };
    if (rest == "attn.hook_v") {
        take_off(value_bias(block));
    } else if (rest == "attn.hook_z") {
        // Every query's attention sums to 1, so each head's output holds its values' bias once.
        const Vector values = value_bias(block);
        const auto head_width = static_cast<std::size_t>(model_.spec.d_head);
        const auto group = static_cast<std::size_t>(model_.spec.heads / model_.spec.kv_heads);
        Vector by_head;
        for (std::size_t i = 0; !values.empty() && i < static_cast<std::size_t>(model_.spec.heads) * width;
             ++i)
            by_head.push_back(values[i / head_width / group * head_width + i % head_width]);
        take_off(by_head);
    } else if (rest == "attn.hook_result") {
        take_off(result_bias(block));
        if (centred_) centre(value.data, width);
    } else if (rest == "unembed.hook_out") {
        if (centres_logits()) centre(value.data, width);
    } else if (centred_ && is_one_of(rest, residual_hooks)) {
        centre(value.data, width);
    }
}

double Folding::mean_logit(const float* unembed_in) const {
    if (!centres_logits()) return 0;
    const auto [found, fresh] = kept_.try_emplace("mean_of_unembedding");
    Vector& mean = found->second; // of each row of W_U, then of b_U
    if (fresh) {
        const auto matrix = raw("unembed.W_U");
        const auto cols = static_cast<std::size_t>(matrix->shape[1]);
        for (std::size_t first = 0; first < matrix->data.size(); first += cols)
            mean.push_back(std::accumulate(matrix->data.begin() + static_cast<std::ptrdiff_t>(first),
                                           matrix->data.begin() + static_cast<std::ptrdiff_t>(first + cols),
                                           0.0) /
                           static_cast<double>(cols));
        const Vector bias = vector("unembed.b_U");
        mean.push_back(bias.empty() ? 0.0 : mean_of(bias.data(), bias.size()));
    }
    double sum = mean.back();
    for (std::size_t i = 0; i + 1 < mean.size(); ++i)
        sum += static_cast<double>(unembed_in[i]) * mean[i];
    return sum * static_cast<double>(model_.spec.logit_scale);
}

} // namespace vitrine::model
