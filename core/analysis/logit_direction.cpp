#include "core/analysis/logit_direction.h"

#include <numeric>

namespace vitrine::analysis {

namespace {

sdk::View weight_or_none(const sdk::Answer& answer, const std::string& name) {
    return answer.has_weight(name) ? answer.weight(name) : sdk::View();
}

} // namespace

double dot(const float* x, const std::vector<double>& v) {
    double sum = 0;
    for (std::size_t i = 0; i < v.size(); ++i)
        sum += static_cast<double>(x[i]) * v[i];
    return sum;
}

void through_norm(const sdk::Answer& answer, const std::string& norm, bool centred, double scale,
                  Direction& direction) {
    std::vector<double>& v = direction.vector;
    if (const sdk::View bias = weight_or_none(answer, norm + "b"); bias.count() > 0)
        direction.bias += dot(bias.data(), v);
    if (const sdk::View weight = weight_or_none(answer, norm + "w"); weight.count() > 0)
        for (std::size_t i = 0; i < v.size(); ++i)
            v[i] *= static_cast<double>(weight.data()[i]);
    // (x − mean(x)) · v = x · (v − mean(v))
    const double mean =
        centred ? std::accumulate(v.begin(), v.end(), 0.0) / static_cast<double>(v.size()) : 0.0;
    for (double& entry : v)
        entry = (entry - mean) / scale;
}

void scale_by(double factor, Direction& direction) {
    for (double& entry : direction.vector)
        entry *= factor;
    direction.bias *= factor;
}

std::vector<std::string> Unembedded::weights() {
    return {"ln_final.w", "ln_final.b", "unembed.W_in", "unembed.b_in", "unembed.W_U", "unembed.b_U"};
}

Unembedded::Unembedded(const sdk::ModelFacts& model, const sdk::Answer& answer)
    : projection_(weight_or_none(answer, "unembed.W_in")),
      projection_bias_(weight_or_none(answer, "unembed.b_in")), matrix_(answer.weight("unembed.W_U")),
      bias_(weight_or_none(answer, "unembed.b_U")), scale_(model.logit_scale) {}

Direction Unembedded::of(const std::vector<int>& plus, const std::vector<int>& minus) const {
    Direction direction;
    direction.vector.assign(static_cast<std::size_t>(matrix_.size(0)), 0.0);
    const auto add = [&](const std::vector<int>& tokens, double sign) {
        const double share = sign / static_cast<double>(tokens.size());
        for (const int token : tokens) {
            for (std::size_t d = 0; d < direction.vector.size(); ++d)
                direction.vector[d] += share * static_cast<double>(matrix_(d, token));
            if (bias_.count() > 0) direction.bias += share * static_cast<double>(bias_.data()[token]);
        }
    };
    add(plus, 1);
    add(minus, -1);
    if (projection_bias_.count() > 0) direction.bias += dot(projection_bias_.data(), direction.vector);
    if (projection_.count() > 0) {
        std::vector<double> wide(static_cast<std::size_t>(projection_.size(0)));
        for (std::size_t d = 0; d < wide.size(); ++d)
            wide[d] = dot(projection_[static_cast<std::int64_t>(d)].data(), direction.vector);
        direction.vector = std::move(wide);
    }
    scale_by(scale_, direction);
    return direction;
}

} // namespace vitrine::analysis
