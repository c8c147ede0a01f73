#include "core/analysis/attention.h"

#include <cmath>

#include "core/analysis/axes.h"

namespace vitrine::analysis {

namespace {

constexpr double most_elements = 1U << 28;

// ‖v_k W_O‖ of one head by key: `values` [pos, kv_head, d_head], `w_o` [heads · d_head, d_model].
std::vector<double> moved_norms(const sdk::ModelFacts& model, sdk::View values, sdk::View w_o, int head) {
    const int kv_head = head / (model.heads / model.kv_heads);
    std::vector<double> norms;
    std::vector<double> moved(static_cast<std::size_t>(model.d_model));
    for (std::int64_t key = 0; key < values.size(0); ++key) {
        std::fill(moved.begin(), moved.end(), 0.0);
        for (int i = 0; i < model.d_head; ++i) {
            const double v = values(key, kv_head, i);
            const float* row = w_o[head * model.d_head + i].data();
            for (std::size_t d = 0; d < moved.size(); ++d)
                moved[d] += v * row[d];
        }
        double squares = 0;
        for (const double x : moved)
            squares += x * x;
        norms.push_back(std::sqrt(squares));
    }
    return norms;
}

// ‖v_k‖ of one head by key.
std::vector<double> value_norms(const sdk::ModelFacts& model, sdk::View values, int head) {
    const int kv_head = head / (model.heads / model.kv_heads);
    std::vector<double> norms;
    for (std::int64_t key = 0; key < values.size(0); ++key) {
        double squares = 0;
        for (int i = 0; i < model.d_head; ++i)
            squares += static_cast<double>(values(key, kv_head, i)) * values(key, kv_head, i);
        norms.push_back(std::sqrt(squares));
    }
    return norms;
}

} // namespace

sdk::Manifest Attention::manifest() {
    return sdk::Manifest("attention", "Attention patterns")
        .summary("Attention of every head, or of one layer or head: the pattern (after the softmax), the "
                 "score (before it, scaled; null where the mask hides a key), or the pattern weighted by "
                 "the norm of what is moved, A · ‖v W_O‖ (own definition after Kobayashi et al. 2020), or of "
                 "the value alone, A · ‖v‖ (value-norm).")
        .citation("Vaswani et al. 2017; Kobayashi et al. 2020, Attention is Not Only a Weight")
        .choice("show", {"pattern", "score", "value-weighted", "value-norm"}, "what is shown")
        .coordinates()
        .integer("layer", nullptr, "this layer only", 0)
        .integer("head", nullptr, "this head only", 0)
        .result("attention", "stack", "[row ×] layer × head × query × key");
}

std::optional<sdk::Failure> Attention::begin(const sdk::Start& start) {
    const sdk::ModelFacts& facts = start.model;
    const std::string show = start.text("show");
    show_ = show == "pattern"      ? Show::pattern
            : show == "score"      ? Show::score
            : show == "value-norm" ? Show::value_norm
                                   : Show::value_weighted;
    first_layer_ = start.given("layer") ? start.integer("layer") : 0;
    first_head_ = start.given("head") ? start.integer("head") : 0;
    layers_ = start.given("layer") ? 1 : facts.layers;
    heads_ = start.given("head") ? 1 : facts.heads;
    if (first_layer_ + layers_ > facts.layers || first_head_ + heads_ > facts.heads)
        return sdk::Failure{"out-of-range", "The model has layers 0 to " + std::to_string(facts.layers - 1) +
                                                " and heads 0 to " + std::to_string(facts.heads - 1) +
                                                ": choose one of these."};
    double elements = static_cast<double>(layers_) * heads_ * static_cast<double>(start.rows.size());
    for (const sdk::Row& row : start.rows) {
        const double length = row.size();
        if (elements * length * length > most_elements)
            return sdk::Failure{"too-large",
                                "All patterns together are too large to be shown at once: choose a "
                                "layer and a head."};
    }
    use_layers(first_layer_, layers_);
    if (show_ == Show::score) use_hook("attn.hook_attn_scores");
    if (start.given("head")) use_head(first_head_);
    if (show_ == Show::value_weighted || show_ == Show::value_norm) also_capture("attn.hook_v");
    if (show_ == Show::value_weighted) also_need("attn.W_O");
    std::vector<std::string> layers, heads;
    for (int layer = 0; layer < layers_; ++layer)
        layers.push_back(std::to_string(first_layer_ + layer));
    for (int head = 0; head < heads_; ++head)
        heads.push_back(std::to_string(first_head_ + head));
    stack_ = per_row("attention", "stack", start.rows, {{"layer", layers_, layers}, {"head", heads_, heads}},
                     {"query", "key"});
    return std::nullopt;
}

void Attention::visit(int row, int layer, sdk::View pattern, const Besides& besides) {
    const auto width = stack_.axes.back().size;
    const auto length = pattern.size(1);
    for (int h = 0; h < heads_; ++h) {
        const sdk::View shown = pattern[one_head() ? 0 : first_head_ + h];
        std::vector<double> norms(static_cast<std::size_t>(length), 1.0);
        if (show_ == Show::value_weighted)
            norms = moved_norms(model(), besides.capture("attn.hook_v"), besides.weight("attn.W_O"),
                                first_head_ + h);
        if (show_ == Show::value_norm)
            norms = value_norms(model(), besides.capture("attn.hook_v"), first_head_ + h);
        const auto plane = (std::int64_t{row} * layers_ + layer - first_layer_) * heads_ + h;
        for (std::int64_t query = 0; query < length; ++query)
            for (std::int64_t key = 0; key < length; ++key) {
                const double value = shown(query, key);
                stack_.data[static_cast<std::size_t>((plane * width + query) * width + key)] =
                    std::isfinite(value) ? value * norms[static_cast<std::size_t>(key)] : std::nan("");
            }
    }
}

sdk::Reply Attention::finish() { return sdk::Done{{stack_}}; }

} // namespace vitrine::analysis
