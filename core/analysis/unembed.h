#pragma once
// From residual stream to logits: the final norm, the projection where embeddings are narrower than the
// residual stream, the unembedding, its scale and its cap; each only where the model has it.
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "core/sdk/input.h"

namespace vitrine::analysis {

/// The last operations of the model. Reads weights that live as long as the analysis.
class Unembedding {
public:
    /// Names to ask for in a need.
    static std::vector<std::string> weights();

    /// From the answer to that need.
    Unembedding(const sdk::ModelFacts& model, const sdk::Answer& answer);

    int vocab() const { return static_cast<int>(unembedding_.size(1)); }

    /// Appends what W_U multiplies, made of the residual stream at one position, [d_model], to `out`.
    void normalise(const float* x, std::vector<float>& out) const;

    /// logits[r] = normed[r] · W_U + b_U, scaled and capped, for `rows` rows. A row's bits do not depend on
    /// the other rows.
    std::vector<float> logits(const std::vector<float>& normed, int rows) const;

private:
    bool norm_ = true;
    bool centred_ = false; // LayerNorm
    double eps_ = 0;
    int d_model_ = 0;
    int width_ = 0; // rows of W_U
    float scale_ = 1, cap_ = 0;
    sdk::View weight_, bias_, projection_, unembedding_, unembedding_bias_; // all but W_U may be empty
};

/// What a lens says at one place. Sums in float64, nats.
struct Distribution {
    double logsumexp = 0;
    double entropy = 0;
};
Distribution distribution(const float* logits, int vocab);

/// KL(p ‖ q) of two softmaxes.
double kl_divergence(const float* p, const Distribution& of_p, const float* q, const Distribution& of_q,
                     int vocab);

/// The `count` largest, largest first; ties by smaller id.
std::vector<int> largest(const float* logits, int vocab, int count);

/// The largest logit and the second largest; of one token alone the second is −∞.
std::pair<double, double> two_largest(const float* logits, int vocab);

/// How many tokens have a larger logit; 0 for the most likely one.
int rank_of(const float* logits, int vocab, int token);

} // namespace vitrine::analysis
