#include "core/analysis/head_circuits.h"

#include <cmath>

namespace vitrine::analysis {

sdk::Manifest& CircuitWalk::add_parameters(sdk::Manifest& manifest) {
    return manifest.no_prompts().coordinates().integer(
        "offset", 0,
        "positions that the key lies before the query, for models that rotate queries and keys (0: the same "
        "position, no rotation between them); without effect on others",
        0);
}

sdk::Reply CircuitWalk::start(const sdk::Start& start) {
    start_ = &start;
    offset_ = start.integer("offset");
    if (start.model.heads == 0)
        return sdk::Failure{"unsupported", "This model has no attention heads, so there is nothing to show."};
    if (auto failure = begin(start)) return *failure;
    return need();
}

sdk::Need CircuitWalk::need() const {
    sdk::Need need;
    const std::string attn = "blocks." + std::to_string(layer_) + ".attn.";
    for (const char* name : {"W_Q", "W_K", "W_V", "W_O", "q_norm.w", "k_norm.w"})
        need.weights.push_back(attn + name);
    need.transient = true;
    need.progress = progress(layer_, 0);
    return need;
}

double CircuitWalk::progress(int layer, double share) const { return (layer + share) / model().layers; }

sdk::Reply CircuitWalk::step(const sdk::Answer& answer) {
    std::vector<HeadCircuit> heads;
    for (int head = 0; head < model().heads; ++head)
        heads.push_back(circuit(answer, head));
    if (!visit(layer_, heads)) return sdk::Failure{"cancelled", "The job was cancelled."};
    if (++layer_ == model().layers) return finish();
    return need();
}

/// [d_head, d_head]: what stands between query and key, whose positions differ by `offset_`. A row vector v
/// at position p is rotated to v · R(p) with R(p) R(k)ᵀ = R(p − k).
Dense CircuitWalk::rotation() const {
    const sdk::RotaryFacts& rotary = model().rotary[static_cast<std::size_t>(layer_)];
    Dense turn(model().d_head, model().d_head);
    for (int i = 0; i < turn.rows; ++i)
        turn(i, i) = 1;
    const int half = rotary.dims / 2;
    for (int i = 0; i < half; ++i) {
        const int a = rotary.interleaved ? 2 * i : i;
        const int b = rotary.interleaved ? 2 * i + 1 : i + half;
        const double angle = offset_ * rotary.inverse_frequency[static_cast<std::size_t>(i)];
        const double both = rotary.scale * rotary.scale; // of the query's and of the key's
        turn(a, a) = turn(b, b) = both * std::cos(angle);
        turn(a, b) = both * std::sin(angle);
        turn(b, a) = -both * std::sin(angle);
    }
    return turn;
}

/// The weight of a norm of queries or keys: of one head for all, or of every head.
void CircuitWalk::weigh(const sdk::Answer& answer, const char* norm, int head, Dense& projection) const {
    const std::string name = "blocks." + std::to_string(layer_) + ".attn." + norm + ".w";
    if (!answer.has_weight(name)) return;
    const sdk::View weight = answer.weight(name);
    const int first = weight.count() > model().d_head ? head * model().d_head : 0;
    for (int r = 0; r < projection.rows; ++r)
        for (int c = 0; c < projection.cols; ++c)
            projection(r, c) *= weight.data()[first + c];
}

HeadCircuit CircuitWalk::circuit(const sdk::Answer& answer, int head) const {
    const std::string attn = "blocks." + std::to_string(layer_) + ".attn.";
    const int width = model().d_head;
    const int kv_head = head / (model().heads / model().kv_heads);
    HeadCircuit out;
    out.ov_in = columns_of(answer.weight(attn + "W_V"), kv_head * width, width);
    out.ov_out = rows_of(answer.weight(attn + "W_O"), head * width, width);
    out.qk_query = columns_of(answer.weight(attn + "W_Q"), head * width, width);
    out.qk_key = columns_of(answer.weight(attn + "W_K"), kv_head * width, width);
    weigh(answer, "q_norm", head, out.qk_query);
    weigh(answer, "k_norm", kv_head, out.qk_key);
    if (!model().rotary.empty() && model().rotary[static_cast<std::size_t>(layer_)].dims > 0)
        out.qk_query = product(out.qk_query, rotation());
    const double scale =
        model().attention_scale.empty() ? 1 : model().attention_scale[static_cast<std::size_t>(layer_)];
    for (double& x : out.qk_query.data)
        x *= scale;
    return out;
}

std::string CircuitWalk::conditions() const {
    std::string text = "Coordinates: " + start_->text("coordinates") + ". QK is scaled as scores are";
    bool rotates = false;
    for (const sdk::RotaryFacts& rotary : model().rotary)
        rotates = rotates || rotary.dims > 0;
    if (rotates)
        text += "; queries and keys are rotated: QK is that of a key " + std::to_string(offset_) +
                (offset_ == 1 ? " position" : " positions") + " before the query";
    if (model().qk_norm != "none")
        text +=
            "; queries and keys are normed: QK holds the norms' weights, not their scales, which depend on "
            "the token";
    if (start_->text("coordinates") == "raw") text += "; what a head reads is the norm's output";
    return text + ". Biases are left out.";
}

} // namespace vitrine::analysis
