#pragma once
// Logits as linear functions of the residual stream: every norm on the way held at the scale that it had.
#include <string>
#include <vector>

#include "core/sdk/input.h"

namespace vitrine::analysis {

/// x ↦ x · vector + bias, x [d_model].
struct Direction {
    std::vector<double> vector;
    double bias = 0;
};

/// x · v in float64; x has v.size() numbers.
double dot(const float* x, const std::vector<double>& v);

/// Makes a function of what a norm gives one of what it reads: y = (x − mean) / scale · w + b, without the
/// mean for RMSNorm. `norm` is the prefix of its weights ("blocks.2.ln1_post."), which the answer holds as
/// far as the model has them.
void through_norm(const sdk::Answer& answer, const std::string& norm, bool centred, double scale,
                  Direction& direction);

/// Multiplies vector and bias.
void scale_by(double factor, Direction& direction);

/// The unembedding's columns. Reads weights that live as long as the analysis.
class Unembedded {
public:
    /// Names to ask for in a need.
    static std::vector<std::string> weights();
    Unembedded(const sdk::ModelFacts& model, const sdk::Answer& answer);

    /// The mean logit of `plus` less that of `minus` (either may be empty), scaled as the model scales
    /// logits, before its soft-cap, as a function of unembed.hook_in.
    Direction of(const std::vector<int>& plus, const std::vector<int>& minus) const;

private:
    sdk::View projection_, projection_bias_, matrix_, bias_; // all but the matrix may be empty
    double scale_ = 1;
};

} // namespace vitrine::analysis
