#include "tests/run/plain_forward.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include <fmt/format.h>

#include "tests/backend/nmse.h"

namespace vitrine::test {

using model::ModelSpec;
using model::NormKind;
using model::NormPlace;
using model::Positional;
using model::QkNorm;

namespace {

class Maker {
public:
    Maker(model::Model& model, bool biases, unsigned seed)
        : model_(model), biases_(biases), seed_(seed),
          storage_(std::make_shared<std::vector<std::vector<float>>>()) {
        model_.storage = storage_;
    }

    void matrix(const std::string& name, int rows, int cols, double deviation) {
        add(name, rows, cols, random_floats(static_cast<std::size_t>(rows * cols), ++seed_, deviation));
    }
    void vector(const std::string& name, int size, double mean, double deviation) {
        auto numbers = random_floats(static_cast<std::size_t>(size), ++seed_, deviation);
        for (float& number : numbers)
            number += static_cast<float>(mean);
        add(name, 1, size, std::move(numbers));
    }
    void linear(const std::string& prefix, const std::string& part, int in, int out) {
        matrix(prefix + "W_" + part, in, out, 1.5 / std::sqrt(in));
        if (biases_) vector(prefix + "b_" + part, out, 0, 0.3);
    }
    void norm(const std::string& prefix, int size, NormKind kind) {
        vector(prefix + "w", size, 1, 0.3);
        if (biases_ && kind == NormKind::layer) vector(prefix + "b", size, 0, 0.2);
    }

private:
    void add(const std::string& name, int rows, int cols, std::vector<float> numbers) {
        storage_->push_back(std::move(numbers)); // a vector that moves keeps its elements in place
        model::Weight weight;
        weight.name = name;
        weight.data = reinterpret_cast<const std::byte*>(storage_->back().data());
        weight.rows = rows;
        weight.cols = cols;
        weight.row_stride = cols;
        model_.add(std::move(weight));
    }

    model::Model& model_;
    bool biases_;
    unsigned seed_;
    std::shared_ptr<std::vector<std::vector<float>>> storage_;
};

/// Nearest number with 8 significant bits, ties to even.
double bfloat(double x) {
    if (x == 0) return 0;
    int exponent = 0;
    const double mantissa = std::frexp(x, &exponent);
    return std::ldexp(std::nearbyint(mantissa * 256) / 256, exponent);
}

double activated(model::Activation kind, double x) {
    switch (kind) {
    case model::Activation::gelu:
        return 0.5 * x * std::erfc(-x / std::sqrt(2.0));
    case model::Activation::gelu_tanh:
        return 0.5 * x * (1 + std::tanh(std::sqrt(2 / 3.14159265358979323846) * (x + 0.044715 * x * x * x)));
    case model::Activation::silu:
        return x / (1 + std::exp(-x));
    case model::Activation::identity:
        return x;
    case model::Activation::relu:
        return std::max(x, 0.0);
    }
    return 0;
}

void add_to(Lines& sum, const Lines& other) {
    for (std::size_t i = 0; i < sum.size(); ++i)
        sum[i] += other[i];
}

} // namespace

model::Model made_model(const ModelSpec& spec, bool biases, unsigned seed) {
    model::Model model;
    model.spec = spec;
    model.format = "memory";
    Maker make(model, biases, seed);
    const int d = spec.d_model;
    const int width = spec.embed_width > 0 ? spec.embed_width : d;
    const bool bare = spec.family == "bare norms";
    make.matrix("W_E", spec.vocab, width, 1);
    if (spec.embed_width > 0) make.matrix("embed.W_in", width, d, 1 / std::sqrt(width));
    if (spec.embed_norm) make.norm("embed.ln.", d, spec.norm.kind);
    if (spec.positional == Positional::learned)
        make.matrix("W_pos", spec.context + spec.position_offset, d, 0.5);
    for (int layer = 0; layer < spec.layers; ++layer) {
        const std::string block = fmt::format("blocks.{}.", layer);
        const bool before = spec.norm_place == NormPlace::before || spec.norm_place == NormPlace::sandwich;
        const bool behind =
            spec.norm_place == NormPlace::branch_output || spec.norm_place == NormPlace::sandwich;
        if (!bare && (before || spec.norm_place == NormPlace::after_sum)) {
            make.norm(block + "ln1.", d, spec.norm.kind);
            if (!spec.shared_norm) make.norm(block + "ln2.", d, spec.norm.kind);
        }
        if (behind) {
            make.norm(block + "ln1_post.", d, spec.norm.kind);
            make.norm(block + "ln2_post.", d, spec.norm.kind);
        }
        make.linear(block + "attn.", "Q", d, spec.heads * spec.d_head);
        make.linear(block + "attn.", "K", d, spec.kv_heads * spec.d_head);
        make.linear(block + "attn.", "V", d, spec.kv_heads * spec.d_head);
        make.linear(block + "attn.", "O", spec.heads * spec.d_head, d);
        if (spec.qk_norm != QkNorm::none) {
            const bool shared = spec.qk_norm == QkNorm::head;
            const NormKind kind = spec.qk_norm_spec.kind;
            make.norm(block + "attn.q_norm.", (shared ? 1 : spec.heads) * spec.d_head, kind);
            make.norm(block + "attn.k_norm.", (shared ? 1 : spec.kv_heads) * spec.d_head, kind);
        }
        if (spec.gated) make.linear(block + "mlp.", "gate", d, spec.d_ff);
        make.linear(block + "mlp.", "in", d, spec.d_ff);
        make.linear(block + "mlp.", "out", spec.d_ff, d);
    }
    if (spec.final_norm && !bare) make.norm("ln_final.", d, spec.norm.kind);
    if (spec.embed_width > 0) make.matrix("unembed.W_in", d, width, 1 / std::sqrt(d));
    make.linear("unembed.", "U", width, spec.vocab);
    return model;
}

PlainForward::PlainForward(const model::Model& model, Tap tap, bool split)
    : spec_(model.spec), tap_(std::move(tap)), split_(split) {
    for (const model::Weight& weight : model.weights) {
        Matrix matrix{static_cast<int>(weight.rows), static_cast<int>(weight.cols), {}};
        // As made_model stores them, or in float64.
        if (weight.dtype == DType::f64) {
            const auto* numbers = reinterpret_cast<const double*>(weight.data);
            matrix.data.assign(numbers, numbers + weight.rows * weight.cols);
        } else {
            const auto* numbers = reinterpret_cast<const float*>(weight.data);
            matrix.data.assign(numbers, numbers + weight.rows * weight.cols);
        }
        weights_.emplace(weight.name, std::move(matrix));
    }
}

const PlainForward::Matrix* PlainForward::find(const std::string& name) const {
    const auto found = weights_.find(name);
    return found == weights_.end() ? nullptr : &found->second;
}

const PlainForward::Matrix& PlainForward::at(const std::string& name) const { return weights_.at(name); }

Lines PlainForward::product(const Lines& x, const std::string& w, const std::string& b) const {
    const Matrix& matrix = at(w);
    const Matrix* bias = find(b);
    const auto lines = static_cast<int>(x.size()) / matrix.rows;
    Lines y(static_cast<std::size_t>(lines * matrix.cols));
    for (int n = 0; n < lines; ++n)
        for (int c = 0; c < matrix.cols; ++c) {
            double sum = bias == nullptr ? 0 : bias->data[static_cast<std::size_t>(c)];
            for (int k = 0; k < matrix.rows; ++k)
                sum += x[static_cast<std::size_t>(n * matrix.rows + k)] *
                       matrix.data[static_cast<std::size_t>(k * matrix.cols + c)];
            y[static_cast<std::size_t>(n * matrix.cols + c)] = sum;
        }
    return y;
}

namespace {

/// x / √(…) of one vector, in place; returns the root.
double normalise(const model::NormSpec& spec, double* x, int width) {
    double mean = 0;
    if (spec.kind == NormKind::layer)
        for (int i = 0; i < width; ++i)
            mean += x[i] / width;
    double squares = 0;
    for (int i = 0; i < width; ++i)
        squares += (x[i] - mean) * (x[i] - mean) / width;
    const double scale = std::sqrt(squares + static_cast<double>(spec.eps));
    for (int i = 0; i < width; ++i)
        x[i] -= mean;
    return scale;
}

} // namespace

Lines PlainForward::norm(const std::string& prefix, const Lines& x, bool hooked) const {
    const int d = spec_.d_model;
    const std::size_t lines = x.size() / static_cast<std::size_t>(d);
    Lines y = x;
    Lines scales;
    for (std::size_t n = 0; n < lines; ++n)
        scales.push_back(normalise(spec_.norm, y.data() + n * static_cast<std::size_t>(d), d));
    if (hooked) hook(prefix + "hook_scale", scales);
    for (std::size_t i = 0; i < y.size(); ++i)
        y[i] /= scales[i / static_cast<std::size_t>(d)];
    if (hooked) hook(prefix + "hook_normalized", y);
    const Matrix* w = find(prefix + "w");
    const Matrix* b = find(prefix + "b");
    for (std::size_t i = 0; i < y.size(); ++i) {
        const std::size_t c = i % static_cast<std::size_t>(d);
        y[i] = y[i] * (w == nullptr ? 1 : w->data[c]) + (b == nullptr ? 0 : b->data[c]);
    }
    return y;
}

void PlainForward::norm_heads(const std::string& prefix, Lines& x, int heads) const {
    const int all = heads * spec_.d_head;
    const int width = spec_.qk_norm == QkNorm::whole ? all : spec_.d_head;
    const std::vector<double>& w = at(prefix + "w").data;
    const Matrix* b = find(prefix + "b");
    for (std::size_t first = 0; first < x.size(); first += static_cast<std::size_t>(width)) {
        const double scale = normalise(spec_.qk_norm_spec, x.data() + first, width);
        for (int i = 0; i < width; ++i) {
            const std::size_t at = first + static_cast<std::size_t>(i);
            x[at] = x[at] / scale * w[at % w.size()] + (b == nullptr ? 0 : b->data[at % w.size()]);
        }
    }
}

void PlainForward::rotate(int layer, Lines& x, int heads) const {
    const int index =
        spec_.rotary_of_layer.empty() ? 0 : spec_.rotary_of_layer[static_cast<std::size_t>(layer)];
    const model::RotarySpec& rotary = spec_.rotaries[static_cast<std::size_t>(index)];
    std::vector<double> frequencies(rotary.inverse_frequency.begin(), rotary.inverse_frequency.end());
    if (rotary.long_from > 0 && tokens_ > rotary.long_from) {
        if (rotary.dynamic_factor > 0) {
            const double share = rotary.dynamic_factor * tokens_ / rotary.long_from;
            const double base =
                rotary.dynamic_theta * std::pow(share - (rotary.dynamic_factor - 1),
                                                rotary.dims / static_cast<double>(rotary.dims - 2));
            for (std::size_t i = 0; i < frequencies.size(); ++i)
                frequencies[i] = 1 / std::pow(base, 2.0 * static_cast<double>(i) / rotary.dims);
        } else {
            frequencies.assign(rotary.long_inverse_frequency.begin(), rotary.long_inverse_frequency.end());
        }
    }
    const int half = rotary.dims / 2;
    for (int n = 0; n < tokens_; ++n)
        for (int head = 0; head < heads; ++head)
            for (int i = 0; i < half; ++i) {
                double* vector = x.data() + (n * heads + head) * spec_.d_head;
                double& a = vector[rotary.interleaved ? 2 * i : i];
                double& b = vector[rotary.interleaved ? 2 * i + 1 : i + half];
                const double angle = n * frequencies[static_cast<std::size_t>(i)];
                const double c = std::cos(angle) * static_cast<double>(rotary.scale);
                const double s = std::sin(angle) * static_cast<double>(rotary.scale);
                const double rotated = a * c - b * s;
                b = b * c + a * s;
                a = rotated;
            }
}

double PlainForward::position_bias(int head, int key) const {
    if (spec_.positional != Positional::alibi) return 0;
    const double slope = static_cast<double>(spec_.alibi_slopes[static_cast<std::size_t>(head)]);
    if (spec_.alibi == model::AlibiKind::plain) return slope * key;
    return bfloat(bfloat(slope) * bfloat(key)) / std::sqrt(static_cast<double>(spec_.d_head));
}

Lines PlainForward::projected(int layer, char letter, const Lines& residual, const Lines& normed,
                              int heads) const {
    const std::string block = fmt::format("blocks.{}.", layer);
    const std::string w = fmt::format("{}attn.W_{}", block, letter);
    const std::string b = fmt::format("{}attn.b_{}", block, letter);
    if (!split_) return product(normed, w, b);
    // One input a head.
    Lines inputs;
    const auto d = static_cast<std::ptrdiff_t>(spec_.d_model);
    for (int n = 0; n < tokens_; ++n)
        for (int head = 0; head < heads; ++head)
            inputs.insert(inputs.end(), residual.begin() + n * d, residual.begin() + (n + 1) * d);
    if (spec_.kv_heads == spec_.heads) hook(block + "hook_attn_in", inputs);
    hook(fmt::format("{}hook_{}_input", block, static_cast<char>(letter + 'a' - 'A')), inputs);
    if (spec_.norms_before()) inputs = norm(block + "ln1.", inputs, false);
    Lines out;
    for (int n = 0; n < tokens_; ++n)
        for (int head = 0; head < heads; ++head) {
            const auto first = inputs.begin() + (n * heads + head) * d;
            const Lines all = product(Lines(first, first + d), w, b);
            out.insert(out.end(), all.begin() + head * spec_.d_head, all.begin() + (head + 1) * spec_.d_head);
        }
    return out;
}

Lines PlainForward::attention(int layer, const Lines& residual, const Lines& normed) const {
    const std::string attn = fmt::format("blocks.{}.attn.", layer);
    const int heads = spec_.heads, kv_heads = spec_.kv_heads, width = spec_.d_head;
    Lines q = projected(layer, 'Q', residual, normed, heads);
    Lines k = projected(layer, 'K', residual, normed, kv_heads);
    Lines v = projected(layer, 'V', residual, normed, kv_heads);
    hook(attn + "hook_q", q);
    hook(attn + "hook_k", k);
    hook(attn + "hook_v", v);
    const auto bound = static_cast<double>(spec_.qkv_clip);
    if (bound > 0)
        for (Lines* lines : {&q, &k, &v})
            for (double& x : *lines)
                x = std::clamp(x, -bound, bound);
    if (spec_.qk_norm != QkNorm::none) {
        norm_heads(attn + "q_norm.", q, heads);
        norm_heads(attn + "k_norm.", k, kv_heads);
        hook(attn + "hook_q_normed", q);
        hook(attn + "hook_k_normed", k);
    }
    const bool rotates =
        spec_.rotary_of_layer.empty() || spec_.rotary_of_layer[static_cast<std::size_t>(layer)] >= 0;
    if (spec_.positional == Positional::rotary && rotates) {
        rotate(layer, q, heads);
        rotate(layer, k, kv_heads);
        hook(attn + "hook_rot_q", q);
        hook(attn + "hook_rot_k", k);
    }
    const double scale =
        spec_.layer_attention_scale.empty()
            ? static_cast<double>(spec_.attention_scale)
            : static_cast<double>(spec_.layer_attention_scale[static_cast<std::size_t>(layer)]);
    const int window = spec_.window.empty() ? 0 : spec_.window[static_cast<std::size_t>(layer)];
    const auto cap = static_cast<double>(spec_.score_cap);
    Lines scores(static_cast<std::size_t>(heads * tokens_ * tokens_));
    const auto pair = [&](int head, int i, int j) {
        return static_cast<std::size_t>((head * tokens_ + i) * tokens_ + j);
    };
    for (int head = 0; head < heads; ++head)
        for (int i = 0; i < tokens_; ++i)
            for (int j = 0; j < tokens_; ++j) {
                double score = 0;
                for (int c = 0; c < width; ++c)
                    score +=
                        q[static_cast<std::size_t>((i * heads + head) * width + c)] *
                        k[static_cast<std::size_t>((j * kv_heads + head / (heads / kv_heads)) * width + c)];
                score *= scale;
                if (cap > 0) score = cap * std::tanh(score / cap);
                score += position_bias(head, j);
                if (j > i || (window > 0 && j <= i - window))
                    score = -std::numeric_limits<double>::infinity();
                scores[pair(head, i, j)] = score;
            }
    hook(attn + "hook_attn_scores", scores);
    Lines pattern = scores;
    for (int head = 0; head < heads; ++head)
        for (int i = 0; i < tokens_; ++i) {
            double largest = scores[pair(head, i, 0)];
            for (int j = 1; j < tokens_; ++j)
                largest = std::max(largest, scores[pair(head, i, j)]);
            double sum = 0;
            for (int j = 0; j < tokens_; ++j)
                sum += pattern[pair(head, i, j)] = std::exp(scores[pair(head, i, j)] - largest);
            for (int j = 0; j < tokens_; ++j)
                pattern[pair(head, i, j)] /= sum;
        }
    hook(attn + "hook_pattern", pattern);
    Lines z(static_cast<std::size_t>(tokens_ * heads * width));
    for (int head = 0; head < heads; ++head)
        for (int i = 0; i < tokens_; ++i)
            for (int j = 0; j < tokens_; ++j)
                for (int c = 0; c < width; ++c)
                    z[static_cast<std::size_t>((i * heads + head) * width + c)] +=
                        pattern[pair(head, i, j)] *
                        v[static_cast<std::size_t>((j * kv_heads + head / (heads / kv_heads)) * width + c)];
    hook(attn + "hook_z", z);
    // Each head's own write, then their sum.
    const Matrix& w = at(attn + "W_O");
    const Matrix* b = find(attn + "b_O");
    const int d = spec_.d_model;
    Lines result(static_cast<std::size_t>(tokens_ * heads * d));
    for (int i = 0; i < tokens_ * heads; ++i)
        for (int c = 0; c < width; ++c)
            for (int o = 0; o < d; ++o)
                result[static_cast<std::size_t>(i * d + o)] +=
                    z[static_cast<std::size_t>(i * width + c)] *
                    w.data[static_cast<std::size_t>((i % heads * width + c) * d + o)];
    hook(attn + "hook_result", result);
    Lines out(static_cast<std::size_t>(tokens_ * d));
    for (int i = 0; i < tokens_ * heads; ++i)
        for (int o = 0; o < d; ++o)
            out[static_cast<std::size_t>(i / heads * d + o)] += result[static_cast<std::size_t>(i * d + o)];
    for (int i = 0; b != nullptr && i < tokens_ * d; ++i)
        out[static_cast<std::size_t>(i)] += b->data[static_cast<std::size_t>(i % d)];
    return out;
}

Lines PlainForward::mlp(int layer, const Lines& in) const {
    const std::string mlp = fmt::format("blocks.{}.mlp.", layer);
    Lines pre =
        spec_.gated ? product(in, mlp + "W_gate", mlp + "b_gate") : product(in, mlp + "W_in", mlp + "b_in");
    hook(mlp + "hook_pre", pre);
    Lines factor(pre.size(), 1.0);
    if (spec_.gated) {
        factor = product(in, mlp + "W_in", mlp + "b_in");
        hook(mlp + "hook_pre_linear", factor);
    }
    for (std::size_t i = 0; i < pre.size(); ++i)
        pre[i] = activated(spec_.activation, pre[i]) * factor[i];
    hook(mlp + "hook_post", pre);
    return product(pre, mlp + "W_out", mlp + "b_out");
}

Lines PlainForward::branch(int layer, const std::string& name, const std::string& post_norm,
                           Lines out) const {
    const std::string block = fmt::format("blocks.{}.", layer);
    const bool normed =
        spec_.norm_place == NormPlace::branch_output || spec_.norm_place == NormPlace::sandwich;
    if (normed || spec_.residual_scale != 1) hook(block + name + ".hook_out", out);
    if (normed) out = norm(block + post_norm, out);
    for (double& x : out)
        x *= static_cast<double>(spec_.residual_scale);
    hook(block + "hook_" + name + "_out", out);
    return out;
}

Lines PlainForward::block(int layer, Lines residual) const {
    const std::string block = fmt::format("blocks.{}.", layer);
    const bool before = spec_.norm_place == NormPlace::before || spec_.norm_place == NormPlace::sandwich;
    const bool after = spec_.norm_place == NormPlace::after_sum;
    hook(block + "hook_resid_pre", residual);
    Lines normed = before ? norm(block + "ln1.", residual) : residual;
    hook(block + (before ? "ln1.hook_out" : "attn.hook_in"), normed);
    const Lines attn_out = branch(layer, "attn", "ln1_post.", attention(layer, residual, normed));
    Lines middle = residual;
    if (!spec_.parallel) {
        add_to(middle, attn_out);
        if (after) middle = norm(block + "ln1.", middle);
        hook(block + "hook_resid_mid", middle);
    }
    Lines mlp_in = middle;
    hook(block + "hook_mlp_in", mlp_in);
    if (before && spec_.shared_norm)
        mlp_in = mlp_in == residual ? normed : norm(block + "ln1.", mlp_in, false);
    else if (before)
        mlp_in = norm(block + "ln2.", mlp_in);
    hook(block + "mlp.hook_in", mlp_in);
    add_to(middle, branch(layer, "mlp", "ln2_post.", mlp(layer, mlp_in)));
    if (spec_.parallel) add_to(middle, attn_out);
    if (after) middle = norm(block + "ln2.", middle);
    hook(block + "hook_resid_post", middle);
    return middle;
}

Lines PlainForward::logits(const std::vector<int>& ids) {
    tokens_ = static_cast<int>(ids.size());
    const Matrix& table = at("W_E");
    Lines residual;
    for (const int id : ids)
        for (int c = 0; c < table.cols; ++c)
            residual.push_back(table.data[static_cast<std::size_t>(id * table.cols + c)] *
                               static_cast<double>(spec_.embedding_scale));
    if (spec_.embed_width > 0) residual = product(residual, "embed.W_in", "");
    if (spec_.embed_norm) residual = norm("embed.ln.", residual);
    hook("hook_embed", residual);
    if (spec_.positional == Positional::learned) {
        Lines positions;
        for (int n = 0; n < tokens_; ++n)
            for (int c = 0; c < spec_.d_model; ++c)
                positions.push_back(
                    at("W_pos")
                        .data[static_cast<std::size_t>((n + spec_.position_offset) * spec_.d_model + c)]);
        hook("hook_pos_embed", positions);
        add_to(residual, positions);
    }
    for (int layer = 0; layer < spec_.layers; ++layer)
        residual = block(layer, std::move(residual));
    if (spec_.final_norm) residual = norm("ln_final.", residual);
    hook("unembed.hook_in", residual);
    if (spec_.embed_width > 0) residual = product(residual, "unembed.W_in", "");
    Lines logits = product(residual, "unembed.W_U", "unembed.b_U");
    const auto cap = static_cast<double>(spec_.logit_cap);
    for (double& x : logits) {
        x *= static_cast<double>(spec_.logit_scale);
        if (cap > 0) x = cap * std::tanh(x / cap);
    }
    hook("unembed.hook_out", logits);
    return logits;
}

} // namespace vitrine::test
