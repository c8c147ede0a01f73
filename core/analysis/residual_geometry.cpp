#include "core/analysis/residual_geometry.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "core/analysis/budget.h"
#include "core/analysis/dense.h"
#include "core/analysis/statistics.h"
#include "core/analysis/weights_spectra.h"

namespace vitrine::analysis {

namespace {

using Vectors = std::vector<std::vector<double>>;

std::vector<double> unit(std::vector<double> x) {
    const double length = length_of(x);
    for (double& entry : x)
        entry = length > 0 ? entry / length : 0;
    return x;
}

/// The rows of `values` whose flag in `left_out` is not set.
Vectors vectors_of(sdk::View values, const std::vector<bool>& left_out) {
    Vectors out;
    for (std::int64_t pos = 0; pos < values.size(0); ++pos) {
        const auto at = static_cast<std::size_t>(pos);
        if (at < left_out.size() && left_out[at]) continue;
        const sdk::View x = values[pos];
        out.emplace_back(x.begin(), x.end());
    }
    return out;
}

/// Without the `count` dimensions whose mean square over the vectors is largest.
Vectors without_largest(Vectors x, int count) {
    if (x.empty()) return x;
    std::vector<double> squares(x.front().size());
    for (const auto& vector : x)
        for (std::size_t d = 0; d < squares.size(); ++d)
            squares[d] += vector[d] * vector[d];
    std::vector<std::size_t> order(squares.size());
    std::iota(order.begin(), order.end(), std::size_t{0});
    std::stable_sort(order.begin(), order.end(),
                     [&](std::size_t a, std::size_t b) { return squares[a] > squares[b]; });
    order.resize(std::min(order.size(), static_cast<std::size_t>(count)));
    for (auto& vector : x)
        for (const std::size_t d : order)
            vector[d] = 0;
    return x;
}

double mean_ratio(sdk::View part, sdk::View whole, const std::vector<bool>& left_out) {
    const Vectors above = vectors_of(part, left_out);
    const Vectors below = vectors_of(whole, left_out);
    double sum = 0;
    for (std::size_t i = 0; i < above.size(); ++i)
        sum += length_of(above[i]) / length_of(below[i]);
    return sum / static_cast<double>(above.size());
}

} // namespace

double mean_pairwise_cosine(const Vectors& x) {
    const auto n = static_cast<double>(x.size());
    if (x.size() < 2) return std::nan("");
    // ‖Σ u‖² = Σ ‖u_i‖² + 2 Σ_{i<j} u_i · u_j
    std::vector<double> sum(x.front().size());
    double own = 0;
    for (const auto& vector : x) {
        const std::vector<double> u = unit(vector);
        for (std::size_t d = 0; d < u.size(); ++d) {
            sum[d] += u[d];
            own += u[d] * u[d];
        }
    }
    return (std::inner_product(sum.begin(), sum.end(), sum.begin(), 0.0) - own) / (n * (n - 1));
}

double mean_adjacent_cosine(const Vectors& x) {
    if (x.size() < 2) return std::nan("");
    double sum = 0;
    for (std::size_t i = 0; i + 1 < x.size(); ++i) {
        const std::vector<double> a = unit(x[i]), b = unit(x[i + 1]);
        sum += std::inner_product(a.begin(), a.end(), b.begin(), 0.0);
    }
    return sum / static_cast<double>(x.size() - 1);
}

sdk::Reply LayerWalk::start(const sdk::Start& start) {
    start_ = &start;
    hooks_ = begin(start);
    return need();
}

sdk::Need LayerWalk::need() {
    sdk::Run run;
    for (int layer = 0; layer < model().layers; ++layer)
        for (const std::string& hook : hooks_)
            run.captures.push_back("blocks." + std::to_string(layer) + "." + hook);
    std::int64_t bytes = 0;
    rows_in_need_ = 0;
    while (next_row_ + rows_in_need_ < static_cast<int>(rows().size()) &&
           (bytes < bytes_of_one_need || rows_in_need_ == 0)) {
        const sdk::Row& row = rows()[static_cast<std::size_t>(next_row_ + rows_in_need_)];
        bytes += 4 * std::int64_t{row.size()} * model().layers * model().d_model *
                 static_cast<std::int64_t>(hooks_.size());
        run.rows.push_back(row);
        ++rows_in_need_;
    }
    sdk::Need need;
    need.runs.push_back(std::move(run));
    need.progress = static_cast<double>(next_row_) / static_cast<double>(rows().size());
    return need;
}

sdk::Reply LayerWalk::step(const sdk::Answer& answer) {
    for (int r = 0; r < rows_in_need_; ++r)
        for (int layer = 0; layer < model().layers; ++layer) {
            const double share = next_row_ + r + static_cast<double>(layer) / model().layers;
            if (!report(share / static_cast<double>(rows().size()), "measuring the residual stream"))
                return sdk::Failure{"cancelled", "The job was cancelled."};
            std::vector<sdk::View> values;
            for (const std::string& hook : hooks_)
                values.push_back(answer.capture(0, r, "blocks." + std::to_string(layer) + "." + hook));
            visit(next_row_ + r, layer, values);
        }
    next_row_ += rows_in_need_;
    if (next_row_ < static_cast<int>(rows().size())) return need();
    return finish();
}

sdk::Manifest Isotropy::manifest() {
    return sdk::Manifest("isotropy", "Isotropy of the residual stream")
        .summary(
            "Mean cosine between the residual streams of two tokens of a row, over all pairs, by layer; "
            "then the mean over rows of equal weight. 0: directions are spread evenly; near 1: all point "
            "the same way, so a high number means a less isotropic stream (anisotropy). Often a few "
            "large dimensions or the first token alone make it so: it is also given without special "
            "tokens, and without the dimensions that are largest (by mean square over the row's "
            "tokens). `adjacent_cosine` is the mean cosine between neighbours.")
        .citation("Ethayarajh 2019, How Contextual are Contextualized Word Representations?; Timkey and van "
                  "Schijndel 2021, All Bark and No Bite: Rogue Dimensions in Transformer Language Models")
        .choice("hook", {"resid_post", "resid_mid", "resid_pre"},
                "where in each layer the residual stream is read")
        .integer("top", 3, "dimensions left out of isotropy_without_top", 0, 100000)
        .coordinates()
        .result("isotropy", "series", "layer; mean pairwise cosine, from −1 to 1")
        .result("adjacent_cosine", "series", "layer; mean cosine of neighbouring tokens, from −1 to 1")
        .result("isotropy_nonspecial", "series", "layer; mean pairwise cosine without special tokens")
        .result("isotropy_without_top", "series",
                "layer; mean pairwise cosine without the largest dimensions");
}

void Isotropy::Mean::add(int layer, double value) {
    if (std::isnan(value)) return;
    const auto at = static_cast<std::size_t>(layer);
    sum.data[at] = rows[at] == 0 ? value : sum.data[at] + value;
    ++rows[at];
}

sdk::ResultData Isotropy::Mean::result() const {
    sdk::ResultData mean = sum;
    for (std::size_t layer = 0; layer < mean.data.size(); ++layer)
        mean.data[layer] /= rows[layer];
    return mean;
}

Isotropy::Mean Isotropy::mean(const char* name) const {
    return {sdk::ResultData::array(name, "series", {{"layer", model().layers}}),
            std::vector<int>(static_cast<std::size_t>(model().layers))};
}

std::vector<std::string> Isotropy::begin(const sdk::Start& start) {
    top_ = start.integer("top");
    isotropy_ = mean("isotropy");
    adjacent_ = mean("adjacent_cosine");
    nonspecial_ = mean("isotropy_nonspecial");
    without_top_ = mean("isotropy_without_top");
    return {"hook_" + start.text("hook")};
}

void Isotropy::visit(int row, int layer, const std::vector<sdk::View>& values) {
    const Vectors x = vectors_of(values.front(), {});
    isotropy_.add(layer, mean_pairwise_cosine(x));
    adjacent_.add(layer, mean_adjacent_cosine(x));
    nonspecial_.add(layer, mean_pairwise_cosine(
                               vectors_of(values.front(), rows()[static_cast<std::size_t>(row)].special)));
    without_top_.add(layer, mean_pairwise_cosine(without_largest(x, top_)));
}

sdk::Done Isotropy::finish() {
    return {{isotropy_.result(), adjacent_.result(), nonspecial_.result(), without_top_.result()}};
}

sdk::Manifest ResidualGeometry::manifest() {
    return sdk::Manifest("residual-geometry", "Geometry of the residual stream")
        .summary(
            "The residual stream behind each layer as a cloud of n tokens in d dimensions, Z [n, d]: "
            "mean cosine of neighbouring tokens; mean length; how much attention and MLP write against "
            "what was there, ‖attn_out‖ / ‖resid_pre‖ and ‖mlp_out‖ / ‖resid_pre‖, means over tokens; "
            "effective rank, e to the entropy of σ / Σσ of Z's singular values (at most min(n, d)); and "
            "coding rate ½ ln det(I + d / (n ε²) Z Zᵀ), nats. Z is neither centred nor scaled, so a token "
            "of great length (a sink) decides rank and rate: leave special tokens out to see the others.")
        .citation("Roy and Vetterli 2007, The effective rank; Ma et al. 2007, Segmentation of Multivariate "
                  "Mixed Data via Lossy Data Coding and Compression")
        .number("epsilon", 0.5, "ε of the coding rate: the distortion allowed", 1e-6)
        .choice("exclude", {"none", "special"}, "special: without special tokens")
        .coordinates()
        .result("adjacent_cosine", "series", "[row ×] layer, from −1 to 1")
        .result("norm", "series", "[row ×] layer; mean L2 norm of resid_post")
        .result("norm_ratio", "series", "[row ×] layer; mean of ‖attn_out‖ / ‖resid_pre‖")
        .result("mlp_ratio", "series", "[row ×] layer; mean of ‖mlp_out‖ / ‖resid_pre‖")
        .result("effective_rank", "series", "[row ×] layer; dimensions")
        .result("coding_rate", "series", "[row ×] layer; nats");
}

std::vector<std::string> ResidualGeometry::begin(const sdk::Start& start) {
    epsilon_ = start.number("epsilon");
    special_ = start.text("exclude") == "none";
    std::vector<sdk::Axis> axes{{"layer", model().layers}};
    if (rows().size() > 1) axes.insert(axes.begin(), {"row", static_cast<std::int64_t>(rows().size())});
    const char* kind = rows().size() > 1 ? "matrix" : "series";
    for (const char* name :
         {"adjacent_cosine", "norm", "norm_ratio", "mlp_ratio", "effective_rank", "coding_rate"})
        results_.push_back(sdk::ResultData::array(name, kind, axes));
    return {"hook_resid_post", "hook_resid_pre", "hook_attn_out", "hook_mlp_out"};
}

void ResidualGeometry::visit(int row, int layer, const std::vector<sdk::View>& values) {
    const std::vector<bool> left_out =
        special_ ? std::vector<bool>() : rows()[static_cast<std::size_t>(row)].special;
    const Vectors x = vectors_of(values[0], left_out);
    const auto at = static_cast<std::size_t>(row) * static_cast<std::size_t>(model().layers) +
                    static_cast<std::size_t>(layer);
    if (x.empty()) return;
    const auto n = static_cast<double>(x.size());
    double lengths = 0;
    std::vector<float> flat;
    for (const auto& vector : x) {
        lengths += length_of(vector);
        flat.insert(flat.end(), vector.begin(), vector.end());
    }
    const std::int64_t shape[] = {static_cast<std::int64_t>(x.size()), model().d_model};
    const std::vector<double> sigma =
        singular_values(sdk::View(flat.data(), shape), [](double) { return true; });
    const double scale = model().d_model / (n * epsilon_ * epsilon_);
    double rate = 0;
    for (const double value : sigma)
        rate += std::log1p(scale * value * value) / 2;
    const double found[] = {mean_adjacent_cosine(x),
                            lengths / n,
                            mean_ratio(values[2], values[1], left_out),
                            mean_ratio(values[3], values[1], left_out),
                            effective_rank(sigma),
                            rate};
    for (std::size_t i = 0; i < results_.size(); ++i)
        results_[i].data[at] = found[i];
}

sdk::Done ResidualGeometry::finish() { return {results_}; }

} // namespace vitrine::analysis
