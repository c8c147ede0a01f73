#include "core/analysis/unembed.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "core/analysis/float_product.h"

namespace vitrine::analysis {

std::vector<std::string> Unembedding::weights() {
    return {"ln_final.w", "ln_final.b", "unembed.W_in", "unembed.W_U", "unembed.b_U"};
}

Unembedding::Unembedding(const sdk::ModelFacts& model, const sdk::Answer& answer)
    : norm_(model.final_norm), centred_(model.norm == "layer"), eps_(model.norm_eps), d_model_(model.d_model),
      scale_(static_cast<float>(model.logit_scale)), cap_(static_cast<float>(model.logit_cap)),
      unembedding_(answer.weight("unembed.W_U")) {
    width_ = static_cast<int>(unembedding_.size(0));
    if (answer.has_weight("unembed.W_in")) projection_ = answer.weight("unembed.W_in");
    if (answer.has_weight("ln_final.w")) weight_ = answer.weight("ln_final.w");
    if (answer.has_weight("ln_final.b")) bias_ = answer.weight("ln_final.b");
    if (answer.has_weight("unembed.b_U")) unembedding_bias_ = answer.weight("unembed.b_U");
}

void Unembedding::normalise(const float* x, std::vector<float>& out) const {
    std::vector<float> normed(x, x + d_model_);
    if (norm_) {
        const double mean = centred_ ? std::accumulate(x, x + d_model_, 0.0) / d_model_ : 0.0;
        double squares = 0;
        for (int d = 0; d < d_model_; ++d)
            squares += (x[d] - mean) * (x[d] - mean);
        const double scale = 1 / std::sqrt(squares / d_model_ + eps_);
        for (int d = 0; d < d_model_; ++d) {
            double value = (x[d] - mean) * scale;
            if (weight_.count() > 0) value *= weight_.data()[d];
            if (bias_.count() > 0) value += bias_.data()[d];
            normed[static_cast<std::size_t>(d)] = static_cast<float>(value);
        }
    }
    if (projection_.count() == 0) {
        out.insert(out.end(), normed.begin(), normed.end());
        return;
    }
    for (int c = 0; c < width_; ++c) {
        double sum = 0;
        for (int d = 0; d < d_model_; ++d)
            sum += double{normed[static_cast<std::size_t>(d)]} * projection_[d].data()[c];
        out.push_back(static_cast<float>(sum));
    }
}

std::vector<float> Unembedding::logits(const std::vector<float>& normed, int rows) const {
    const std::int64_t stride = vocab();
    std::vector<float> out(static_cast<std::size_t>(rows * stride));
    float_product(normed.data(), rows, width_, unembedding_.data(), vocab(), out.data());
    if (unembedding_bias_.count() > 0)
        for (int row = 0; row < rows; ++row)
            for (std::int64_t id = 0; id < stride; ++id)
                out[static_cast<std::size_t>(row * stride + id)] += unembedding_bias_.data()[id];
    if (scale_ != 1 || cap_ != 0)
        for (float& logit : out) {
            logit *= scale_;
            if (cap_ != 0) logit = cap_ * std::tanh(logit / cap_);
        }
    return out;
}

Distribution distribution(const float* logits, int vocab) {
    const double top = *std::max_element(logits, logits + vocab);
    double sum = 0;
    double weighted = 0;
    for (int id = 0; id < vocab; ++id) {
        const double above = logits[id] - top;
        const double e = std::exp(above);
        sum += e;
        weighted += e * above;
    }
    return {top + std::log(sum), std::log(sum) - weighted / sum};
}

double kl_divergence(const float* p, const Distribution& of_p, const float* q, const Distribution& of_q,
                     int vocab) {
    double sum = 0;
    for (int id = 0; id < vocab; ++id) {
        const double log_p = p[id] - of_p.logsumexp;
        sum += std::exp(log_p) * (log_p - (q[id] - of_q.logsumexp));
    }
    return sum;
}

std::vector<int> largest(const float* logits, int vocab, int count) {
    std::vector<int> ids(static_cast<std::size_t>(vocab));
    std::iota(ids.begin(), ids.end(), 0);
    const auto middle = ids.begin() + std::min(count, vocab);
    std::partial_sort(ids.begin(), middle, ids.end(),
                      [&](int a, int b) { return logits[a] != logits[b] ? logits[a] > logits[b] : a < b; });
    ids.erase(middle, ids.end());
    return ids;
}

std::pair<double, double> two_largest(const float* logits, int vocab) {
    double first = -INFINITY, second = -INFINITY;
    for (int id = 0; id < vocab; ++id) {
        const double logit = logits[id];
        if (logit > first) {
            second = first;
            first = logit;
        } else if (logit > second) {
            second = logit;
        }
    }
    return {first, second};
}

int rank_of(const float* logits, int vocab, int token) {
    return static_cast<int>(
        std::count_if(logits, logits + vocab, [&](float logit) { return logit > logits[token]; }));
}

} // namespace vitrine::analysis
