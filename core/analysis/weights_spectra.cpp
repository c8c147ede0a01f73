#include "core/analysis/weights_spectra.h"

#include <algorithm>
#include <cmath>
#include <fnmatch.h>
#include <numeric>

#include "core/analysis/dense.h"

namespace vitrine::analysis {

double effective_rank(const std::vector<double>& singular_values) {
    const double sum = std::accumulate(singular_values.begin(), singular_values.end(), 0.0);
    if (!(sum > 0)) return std::nan("");
    double entropy = 0;
    for (const double value : singular_values)
        if (value > 0) entropy -= value / sum * std::log(value / sum);
    return std::exp(entropy);
}

sdk::Manifest WeightsSpectra::manifest() {
    return sdk::Manifest("weights-spectra", "Spectra of weight matrices")
        .summary(
            "Singular values of any weight matrix of the model, largest first, with its Frobenius norm, its "
            "stable rank ‖W‖²_F / σ₁², its effective rank (e to the entropy of σ / Σσ) and how many singular "
            "values hold 90 % of ‖W‖²_F. Matrices are [in, out]; those of all heads stand side by side. Good "
            "to 1.5e-8 of the largest value.")
        .citation("Roy and Vetterli 2007, The effective rank; Martin and Mahoney 2021, Implicit "
                  "self-regularization "
                  "in deep neural networks")
        .no_prompts()
        .text("weight", "blocks.*.attn.W_O",
              "a matrix or a pattern of them: W_E, unembed.W_U, blocks.0.mlp.W_in, blocks.*.attn.W_Q, …")
        .coordinates()
        .result("singular_values", "series", "[weight ×] index, largest first")
        .result("spectra", "table", "weight, shape, norms and ranks");
}

sdk::Reply WeightsSpectra::start(const sdk::Start& start) {
    const std::string pattern = start.text("weight");
    for (const sdk::MatrixFacts& matrix : start.model.matrices)
        if (::fnmatch(pattern.c_str(), matrix.name.c_str(), 0) == 0) matrices_.push_back(matrix);
    if (!matrices_.empty()) return need();
    // One name of each kind, for the message.
    std::string known;
    for (const sdk::MatrixFacts& matrix : start.model.matrices)
        if (!matrix.name.starts_with("blocks.") || matrix.name.starts_with("blocks.0."))
            known += (known.empty() ? "" : ", ") + matrix.name;
    return sdk::Failure{"not-found", "No matrix of this model is called \"" + pattern + "\"; it has " +
                                         known + ", and those of the other layers."};
}

sdk::Need WeightsSpectra::need() const {
    sdk::Need need;
    need.weights = {matrices_[next_].name};
    need.transient = true;
    need.progress = static_cast<double>(next_) / static_cast<double>(matrices_.size());
    return need;
}

sdk::Reply WeightsSpectra::step(const sdk::Answer& answer) {
    const sdk::MatrixFacts& matrix = matrices_[next_];
    const std::vector<double> values = singular_values(answer.weight(matrix.name), [&](double share) {
        return report((static_cast<double>(next_) + share) / static_cast<double>(matrices_.size()),
                      matrix.name);
    });
    if (values.empty()) return sdk::Failure{"cancelled", "The job was cancelled."};
    double squares = 0;
    for (const double value : values)
        squares += value * value;
    double held = 0;
    int needed = 0;
    while (needed < static_cast<int>(values.size()) && held < 0.9 * squares) {
        held += values[static_cast<std::size_t>(needed)] * values[static_cast<std::size_t>(needed)];
        ++needed;
    }
    const double largest = values.front();
    rows_.push_back({{"weight", matrix.name},
                     {"rows", matrix.rows},
                     {"cols", matrix.cols},
                     {"frobenius", std::sqrt(squares)},
                     {"largest", largest},
                     {"smallest", values.back()},
                     {"stable_rank", largest > 0 ? sdk::Json(squares / (largest * largest)) : sdk::Json()},
                     {"effective_rank", largest > 0 ? sdk::Json(effective_rank(values)) : sdk::Json()},
                     {"rank_90", needed}});
    spectra_.push_back(values);
    if (++next_ < matrices_.size()) return need();

    std::vector<sdk::Axis> axes;
    std::size_t longest = 0;
    std::vector<int> lengths;
    for (const auto& spectrum : spectra_) {
        longest = std::max(longest, spectrum.size());
        lengths.push_back(static_cast<int>(spectrum.size()));
    }
    sdk::Axis index{"index", static_cast<std::int64_t>(longest)};
    index.ragged = std::any_of(lengths.begin(), lengths.end(), [&](int n) { return n != lengths.front(); });
    if (spectra_.size() > 1) {
        sdk::Axis weights{"weight", static_cast<std::int64_t>(spectra_.size())};
        for (const sdk::MatrixFacts& one : matrices_)
            weights.labels.push_back(one.name);
        axes.push_back(std::move(weights));
    }
    axes.push_back(index);
    auto result =
        sdk::ResultData::array("singular_values", spectra_.size() > 1 ? "matrix" : "series", std::move(axes));
    for (std::size_t w = 0; w < spectra_.size(); ++w)
        std::copy(spectra_[w].begin(), spectra_[w].end(),
                  result.data.begin() + static_cast<std::ptrdiff_t>(w * longest));
    if (index.ragged) result.lengths = lengths;
    return sdk::Done{{result, sdk::ResultData::table("spectra", rows_)}};
}

} // namespace vitrine::analysis
