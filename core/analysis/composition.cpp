#include "core/analysis/composition.h"

#include <algorithm>
#include <cmath>

#include "core/analysis/float_product.h"

namespace vitrine::analysis {

namespace {

constexpr std::array kinds{"q", "k", "v"};
constexpr std::size_t listed_pairs = 30; // strongest pairs in the table

std::string head_name(int layer, int head) {
    return "L" + std::to_string(layer) + "H" + std::to_string(head);
}

} // namespace

sdk::Manifest Composition::manifest() {
    sdk::Manifest manifest("composition", "Composition of heads");
    CircuitWalk::add_parameters(
        manifest
            .summary("How much of what an earlier head writes a later head reads into its queries, keys or "
                     "values: "
                     "‖OV₁ QK₂‖ / (‖OV₁‖ ‖QK₂‖) for Q-composition, with QK₂ᵀ for K-composition and OV₂ for "
                     "V-composition, Frobenius norms (row vectors: x · OV₁ is what head 1 writes). Random "
                     "matrices of "
                     "independent entries give 1/√d_model, the baseline: what counts is how far a pair lies "
                     "above it.")
            .citation("Elhage et al. 2021, A Mathematical Framework for Transformer Circuits"));
    for (const char* kind : kinds)
        manifest.result(std::string(kind) + "_composition", "matrix",
                        "earlier head × later head; no value where the first is not in an earlier layer");
    return manifest.result("baseline", "number", "what unrelated random matrices give, 1/√d_model")
        .result("strongest", "table", "the pairs furthest above the baseline")
        .result("conditions", "text", "coordinates, rotation, and what is left out");
}

std::optional<sdk::Failure> Composition::begin(const sdk::Start& start) {
    if (start.model.d_head > start.model.d_model)
        return sdk::Failure{"unsupported", "This model's heads are wider than its residual stream, for which "
                                           "composition scores are not defined."};
    std::vector<std::string> labels;
    for (int layer = 0; layer < start.model.layers; ++layer)
        for (int head = 0; head < start.model.heads; ++head)
            labels.push_back(head_name(layer, head));
    const auto count = static_cast<std::int64_t>(labels.size());
    for (std::size_t i = 0; i < kinds.size(); ++i)
        scores_[i] = sdk::ResultData::array(std::string(kinds[i]) + "_composition", "matrix",
                                            {{"earlier", count, labels}, {"later", count, labels}});
    return std::nullopt;
}

/// Norms of R_V W_O · (what a later head reads): rotations of thin factors away leave them as they are, so
/// that with W_V = Q R_V the d_model × d_model product need not be made.
bool Composition::visit(int layer, const std::vector<HeadCircuit>& heads) {
    const auto width = static_cast<std::size_t>(model().d_head);
    const auto stride = heads.size() * width;
    Side writer;
    std::array<Side, 3> readers;
    for (Side& side : readers)
        side.data.resize(static_cast<std::size_t>(model().d_model) * stride);
    for (std::size_t h = 0; h < heads.size(); ++h) {
        const HeadCircuit& head = heads[h];
        const Dense written = product(triangular_factor(head.ov_in), head.ov_out);
        writer.data.insert(writer.data.end(), written.data.begin(), written.data.end());
        writer.norms.push_back(frobenius(written));
        const std::array<Dense, 3> read{
            product(head.qk_query, transposed(triangular_factor(head.qk_key))),
            product(head.qk_key, transposed(triangular_factor(head.qk_query))),
            product(head.ov_in, transposed(triangular_factor(transposed(head.ov_out))))};
        for (std::size_t kind = 0; kind < read.size(); ++kind) {
            for (std::size_t r = 0; r < static_cast<std::size_t>(model().d_model); ++r)
                std::copy_n(read[kind].data.begin() + static_cast<std::ptrdiff_t>(r * width), width,
                            readers[kind].data.begin() + static_cast<std::ptrdiff_t>(r * stride + h * width));
            readers[kind].norms.push_back(frobenius(read[kind]));
        }
    }
    for (int earlier = 0; earlier < layer; ++earlier) {
        if (!report(progress(layer, static_cast<double>(earlier) / layer),
                    "composition with layer " + std::to_string(layer)))
            return false;
        for (int kind = 0; kind < 3; ++kind)
            if (!compare(layer, earlier, kind, readers[static_cast<std::size_t>(kind)])) return false;
    }
    writers_.push_back(std::move(writer));
    return true;
}

bool Composition::compare(int layer, int earlier, int kind, const Side& readers) {
    const Side& writers = writers_[static_cast<std::size_t>(earlier)];
    const int heads = model().heads;
    const int width = model().d_head;
    const int stride = heads * width;
    std::vector<float> both(static_cast<std::size_t>(width) * static_cast<std::size_t>(stride));
    for (int first = 0; first < heads; ++first) {
        const std::ptrdiff_t at = std::ptrdiff_t{first} * width * model().d_model;
        float_product(writers.data.data() + at, width, model().d_model, readers.data.data(), stride,
                      both.data());
        for (int second = 0; second < heads; ++second) {
            double squares = 0;
            for (int r = 0; r < width; ++r)
                for (int c = 0; c < width; ++c) {
                    const double x = both[static_cast<std::size_t>(r * stride + second * width + c)];
                    squares += x * x;
                }
            const double size = writers.norms[static_cast<std::size_t>(first)] *
                                readers.norms[static_cast<std::size_t>(second)];
            if (size > 0)
                scores_[static_cast<std::size_t>(kind)](earlier * heads + first, layer * heads + second) =
                    std::sqrt(squares) / size;
        }
        if (first % 4 == 3 && !report(progress(layer, static_cast<double>(earlier) / layer), "composition"))
            return false;
    }
    return true;
}

sdk::Reply Composition::finish() {
    const double baseline = 1 / std::sqrt(static_cast<double>(model().d_model));
    struct Pair {
        std::size_t kind, at;
        double score;
    };
    std::vector<Pair> pairs;
    for (std::size_t kind = 0; kind < scores_.size(); ++kind)
        for (std::size_t at = 0; at < scores_[kind].data.size(); ++at)
            if (std::isfinite(scores_[kind].data[at])) pairs.push_back({kind, at, scores_[kind].data[at]});
    const std::size_t count = std::min(listed_pairs, pairs.size());
    std::partial_sort(pairs.begin(), pairs.begin() + static_cast<std::ptrdiff_t>(count), pairs.end(),
                      [](const Pair& a, const Pair& b) { return a.score > b.score; });
    sdk::Json rows = sdk::Json::array();
    const auto all = static_cast<std::size_t>(model().layers) * static_cast<std::size_t>(model().heads);
    const std::vector<std::string>& labels = scores_[0].axes[0].labels;
    for (std::size_t i = 0; i < count; ++i)
        rows.push_back({{"earlier", labels[pairs[i].at / all]},
                        {"later", labels[pairs[i].at % all]},
                        {"kind", std::string(1, static_cast<char>(kinds[pairs[i].kind][0] - 'a' + 'A'))},
                        {"score", pairs[i].score},
                        {"above_baseline", pairs[i].score - baseline}});
    return sdk::Done{{scores_[0], scores_[1], scores_[2], sdk::ResultData::number("baseline", baseline),
                      sdk::ResultData::table("strongest", rows),
                      sdk::ResultData::text("conditions", conditions())}};
}

} // namespace vitrine::analysis
