#include "core/analysis/early_exit.h"

#include <cmath>

namespace vitrine::analysis {

sdk::Manifest EarlyExit::manifest() {
    sdk::Manifest manifest("early-exit", "Early exit");
    manifest
        .summary(
            "How good the model would be, and how much like its end, if it stopped behind a layer and was "
            "read through the lens there: the share of positions whose most likely token is the one that "
            "follows in the text, and that is the model's own; the mean −log p of the token that follows; "
            "KL(final ‖ lens); and the share of positions whose most likely token stays the final one from "
            "that layer on (`settled`, which sums up to 1). All positions of all rows weigh the same.")
        .citation(
            "Geva et al. 2022, Transformer Feed-Forward Layers Build Predictions by Promoting Concepts in "
            "the Vocabulary Space; Schuster et al. 2022, Confident Adaptive Language Modeling");
    LensWalk::add_parameters(manifest, "all");
    return manifest
        .result("agreement", "series", "layer; share of positions, 0 to 1; the last of resid_post is 1")
        .result("accuracy", "series", "layer; share of the positions that a token follows, 0 to 1")
        .result("loss", "series", "layer; mean −log p of the token that follows, nats")
        .result("kl_to_final", "series", "layer; mean KL(final ‖ lens), nats")
        .result("settled", "series", "layer; share of positions settled by then, 0 to 1")
        .result("note", "text", "how many positions");
}

std::optional<sdk::Failure> EarlyExit::begin(const sdk::Start& start) {
    for (auto* list : {&same_, &right_, &loss_, &kl_, &settled_from_})
        list->assign(static_cast<std::size_t>(start.model.layers), 0.0);
    return std::nullopt;
}

void EarlyExit::visit(const Place& place) {
    const int vocab = input().model.vocab;
    const auto layer = static_cast<std::size_t>(place.layer);
    const int own = largest(place.final_logits, vocab, 1).front();
    const int top = largest(place.logits, vocab, 1).front();
    if (place.layer == 0) settled_ = 0;
    if (top == own)
        ++same_[layer];
    else
        settled_ = place.layer + 1;
    kl_[layer] +=
        kl_divergence(place.final_logits, place.final_distribution, place.logits, place.distribution, vocab);
    const auto& ids = input().rows[static_cast<std::size_t>(place.row)].ids;
    const auto after = static_cast<std::size_t>(place.position) + 1;
    if (after < ids.size()) {
        if (top == ids[after]) ++right_[layer];
        loss_[layer] += place.distribution.logsumexp - static_cast<double>(place.logits[ids[after]]);
        if (place.layer == 0) ++with_next_;
    }
    if (place.layer + 1 < input().model.layers) return;
    ++places_;
    for (auto from = static_cast<std::size_t>(settled_); from < settled_from_.size(); ++from)
        ++settled_from_[from];
}

sdk::Reply EarlyExit::finish() {
    const auto mean = [&](const char* name, const std::vector<double>& sums, int count) {
        auto result = sdk::ResultData::array(name, "series", {{"layer", input().model.layers}});
        for (std::size_t layer = 0; layer < sums.size() && count > 0; ++layer)
            result.data[layer] = sums[layer] / count;
        return result;
    };
    return sdk::Done{
        {mean("agreement", same_, places_), mean("accuracy", right_, with_next_),
         mean("loss", loss_, with_next_), mean("kl_to_final", kl_, places_),
         mean("settled", settled_from_, places_),
         sdk::ResultData::text("note", std::to_string(places_) + " positions, " + std::to_string(with_next_) +
                                           " of them with a token behind.")}};
}

} // namespace vitrine::analysis
