#pragma once
// What a vector that is added to the residual stream does to every logit.
#include <string>
#include <vector>

#include "core/sdk/input.h"

namespace vitrine::analysis {

/// Scores of all tokens for directions of the residual stream: the final norm's weight (for LayerNorm the
/// mean taken off before), then the unembedding; no biases, and not divided by the norm's scale, which a
/// direction alone does not have. Reads weights that live as long as the analysis.
class Vocabulary {
public:
    /// Names to ask for in a need.
    static std::vector<std::string> weights();
    Vocabulary(const sdk::ModelFacts& model, const sdk::Answer& answer);

    int size() const { return static_cast<int>(matrix_.size(1)); }
    /// Rows of size() numbers, one for each direction of [d_model].
    std::vector<float> scores(const std::vector<std::vector<double>>& directions) const;

private:
    sdk::View weight_, projection_, matrix_; // the first two may be empty
    bool centred_ = false;
};

/// A token and its score.
struct Scored {
    int id = 0;
    double score = 0;
};
/// The `count` tokens with the largest sign · score, largest first, with that product.
std::vector<Scored> top_of(const float* scores, int vocab, int count, double sign = 1);

} // namespace vitrine::analysis
