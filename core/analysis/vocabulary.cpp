#include "core/analysis/vocabulary.h"

#include <algorithm>
#include <numeric>

#include "core/analysis/float_product.h"

namespace vitrine::analysis {

std::vector<std::string> Vocabulary::weights() { return {"ln_final.w", "unembed.W_in", "unembed.W_U"}; }

Vocabulary::Vocabulary(const sdk::ModelFacts& model, const sdk::Answer& answer)
    : matrix_(answer.weight("unembed.W_U")), centred_(model.norm == "layer" && model.final_norm) {
    if (answer.has_weight("ln_final.w")) weight_ = answer.weight("ln_final.w");
    if (answer.has_weight("unembed.W_in")) projection_ = answer.weight("unembed.W_in");
}

std::vector<float> Vocabulary::scores(const std::vector<std::vector<double>>& directions) const {
    std::vector<float> read;
    for (std::vector<double> x : directions) {
        const double mean =
            centred_ ? std::accumulate(x.begin(), x.end(), 0.0) / static_cast<double>(x.size()) : 0.0;
        for (std::size_t d = 0; d < x.size(); ++d)
            x[d] = (x[d] - mean) * (weight_.count() > 0 ? static_cast<double>(weight_.data()[d]) : 1.0);
        if (projection_.count() > 0) {
            std::vector<double> narrow(static_cast<std::size_t>(projection_.size(1)));
            for (std::size_t d = 0; d < x.size(); ++d)
                for (std::size_t c = 0; c < narrow.size(); ++c)
                    narrow[c] += x[d] * static_cast<double>(projection_(d, c));
            x = std::move(narrow);
        }
        std::transform(x.begin(), x.end(), std::back_inserter(read),
                       [](double value) { return static_cast<float>(value); });
    }
    const auto rows = static_cast<int>(directions.size());
    std::vector<float> out(directions.size() * static_cast<std::size_t>(size()));
    float_product(read.data(), rows, static_cast<int>(matrix_.size(0)), matrix_.data(), size(), out.data());
    return out;
}

std::vector<Scored> top_of(const float* scores, int vocab, int count, double sign) {
    std::vector<int> ids(static_cast<std::size_t>(vocab));
    std::iota(ids.begin(), ids.end(), 0);
    const auto end = ids.begin() + std::min(count, vocab);
    std::partial_sort(ids.begin(), end, ids.end(), [&](int a, int b) {
        const double x = sign * static_cast<double>(scores[a]), y = sign * static_cast<double>(scores[b]);
        return x != y ? x > y : a < b;
    });
    std::vector<Scored> top;
    for (auto id = ids.begin(); id != end; ++id)
        top.push_back({*id, sign * static_cast<double>(scores[*id])});
    return top;
}

} // namespace vitrine::analysis
