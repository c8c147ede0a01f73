#include "core/analysis/lens.h"

#include <cmath>

namespace vitrine::analysis {

sdk::Manifest Lens::manifest() {
    sdk::Manifest manifest("lens", "Logit lens");
    manifest
        .summary(
            "What every layer would predict if it were the last: final norm, then unembedding, of the "
            "residual stream. Logit, probability and rank of a token by layer (the rank is the number of "
            "tokens with a larger logit: 0 is the most likely), the most likely tokens of each layer, "
            "the entropy, and KL(final ‖ lens), nats. The last entry of resid_post is the model's own.")
        .citation("nostalgebraist 2020, interpreting GPT: the logit lens");
    add_parameters(manifest, -1)
        .integer("top", 5, "most likely tokens listed per layer", 0, 1000)
        .tokens("token", "tokens followed through the layers; default: the model's own most likely one")
        .coordinates()
        .result("logit", "series", "[row ×] [token ×] layer [× position]")
        .result("prob", "series", "[row ×] [token ×] layer [× position]")
        .result("rank", "series", "[row ×] [token ×] layer [× position]; 0 is the most likely")
        .result("entropy", "series", "[row ×] layer [× position], nats")
        .result("kl_to_final", "series", "[row ×] layer [× position], nats")
        .result("top", "table", "most likely tokens by layer: rank, id, token, logit, prob")
        .result("token", "table", "the tokens that logit, prob and rank follow");
    return manifest;
}

std::optional<sdk::Failure> Lens::begin(const sdk::Start& start) {
    top_ = start.integer("top");
    for (const std::int32_t token : start.tokens("token")) {
        if (token >= start.model.vocab)
            return sdk::Failure{"out-of-range", "There is no token " + std::to_string(token) +
                                                    ": the vocabulary has " +
                                                    std::to_string(start.model.vocab) + " tokens."};
        tokens_.push_back(token);
    }
    std::vector<sdk::Axis> followed;
    if (tokens_.size() > 1) {
        sdk::Axis axis{"token", static_cast<std::int64_t>(tokens_.size())};
        for (const int token : tokens_)
            axis.labels.push_back(std::to_string(token));
        followed.push_back(std::move(axis));
    }
    logit_ = by_layer("logit", followed);
    prob_ = by_layer("prob", followed);
    rank_ = by_layer("rank", followed);
    rank_.whole = true;
    entropy_ = by_layer("entropy");
    kl_ = by_layer("kl_to_final");
    return std::nullopt;
}

std::vector<int> Lens::tokens_of(const Place& place) const {
    return tokens_.empty() ? largest(place.final_logits, input().model.vocab, 1) : tokens_;
}

void Lens::visit(const Place& place) {
    const int vocab = input().model.vocab;
    const std::vector<int> tokens = tokens_of(place);
    for (std::size_t i = 0; i < tokens.size(); ++i) {
        const std::size_t at = offset(place, static_cast<int>(i), static_cast<int>(tokens.size()));
        const double logit = place.logits[tokens[i]];
        logit_.data[at] = logit;
        prob_.data[at] = std::exp(logit - place.distribution.logsumexp);
        rank_.data[at] = rank_of(place.logits, vocab, tokens[i]);
        if (place.layer == 0)
            token_rows_.push_back({{"row", place.row}, {"position", place.position}, {"id", tokens[i]}});
    }
    const std::size_t at = offset(place);
    entropy_.data[at] = place.distribution.entropy;
    kl_.data[at] =
        kl_divergence(place.final_logits, place.final_distribution, place.logits, place.distribution, vocab);
    int rank = 0;
    for (const int id : largest(place.logits, vocab, top_))
        top_rows_.push_back({{"row", place.row},
                             {"position", place.position},
                             {"layer", place.layer},
                             {"rank", rank++},
                             {"id", id},
                             {"logit", place.logits[id]},
                             {"prob", std::exp(place.logits[id] - place.distribution.logsumexp)}});
}

sdk::Reply Lens::finish() {
    return sdk::Done{{logit_, prob_, rank_, entropy_, kl_, sdk::ResultData::table("top", top_rows_),
                      sdk::ResultData::table("token", token_rows_)}};
}

sdk::Manifest LensEntropy::manifest() {
    sdk::Manifest manifest("lens-entropy", "Entropy through the layers");
    manifest
        .summary("Entropy of the next-token distribution that every layer would give through the lens, "
                 "KL(final ‖ lens), the largest probability and its margin to the second, by layer and "
                 "position. The last layer of resid_post is the model's own.")
        .citation("Entropy-Guided Attention; nostalgebraist 2020, interpreting GPT: the logit lens");
    add_parameters(manifest, "all")
        .result("entropy", "series", "[row ×] layer × position, nats")
        .result("kl_to_final", "series", "[row ×] layer × position, nats")
        .result("top1", "series", "[row ×] layer × position; largest probability")
        .result("margin", "series", "[row ×] layer × position; largest minus second largest probability");
    return manifest;
}

std::optional<sdk::Failure> LensEntropy::begin(const sdk::Start&) {
    entropy_ = by_layer("entropy");
    kl_ = by_layer("kl_to_final");
    top1_ = by_layer("top1");
    margin_ = by_layer("margin");
    return std::nullopt;
}

void LensEntropy::visit(const Place& place) {
    const std::size_t at = offset(place);
    const int vocab = input().model.vocab;
    entropy_.data[at] = place.distribution.entropy;
    kl_.data[at] =
        kl_divergence(place.final_logits, place.final_distribution, place.logits, place.distribution, vocab);
    const auto [first, second] = two_largest(place.logits, vocab);
    top1_.data[at] = std::exp(first - place.distribution.logsumexp);
    margin_.data[at] = top1_.data[at] - std::exp(second - place.distribution.logsumexp);
}

sdk::Reply LensEntropy::finish() { return sdk::Done{{entropy_, kl_, top1_, margin_}}; }

} // namespace vitrine::analysis
