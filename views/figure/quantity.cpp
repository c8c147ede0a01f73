#include "views/figure/quantity.h"

#include <array>

namespace vitrine::figure {

namespace {

struct Entry {
    const char* name;
    const char* title;
    const char* unit;
    const char* meaning;
};

constexpr std::array entries = {
    Entry{"attention", "Attention", "", "The weight that a query gives to a key; each row sums to 1."},
    Entry{"alpha", "Alpha", "", "Mean attention that a key gets from the queries that can see it."},
    Entry{"sink_rate", "Sink rate", "%", "Share of heads whose alpha at the key is above epsilon."},
    Entry{"uniform", "Alpha of an even spread", "",
          "What a head that looks at all keys alike would have: the control for alpha."},
    Entry{"with_bos", "Sink rate with BOS", "%", "With a special token in front."},
    Entry{"without_bos", "Sink rate without BOS", "%", ""},
    Entry{"alpha_with_bos", "Alpha with BOS", "", ""},
    Entry{"alpha_without_bos", "Alpha without BOS", "", ""},
    Entry{"resid_pre", "Norm of the residual stream before each layer", "", ""},
    Entry{"resid_mid", "Norm of the residual stream between attention and MLP", "", ""},
    Entry{"resid_post", "Norm of the residual stream after each layer", "",
          "Where a sink is it is usually far larger than elsewhere."},
    Entry{"key", "Norm of the keys", "", ""},
    Entry{"value", "Norm of the values", "", "A sink usually hands out a small value."},
    Entry{"layers", "The sink beside the median of the other tokens", "", ""},
    Entry{"massive", "Massive activations", "", ""},
    Entry{"bias", "Key bias of the sink", "",
          "Mean over queries of the sink's score above the mean of the other keys' scores."},
    Entry{"deviation", "What depends on the query", "", "Standard deviation of the same over queries."},
    Entry{"share", "Share that no query changes", "", "bias² / (bias² + variance): 1 is a pure key bias."},
    Entry{"alpha_of_bias", "Alpha from the key bias alone", "",
          "Attention on the sink if every query had the mean margin."},
    Entry{"score", "Score at the sink", "", "Mean over queries, before the softmax."},
    Entry{"score_deviation", "Deviation of the score at the sink", "", "Over queries."},
    Entry{"heads", "Heads with a hidden sink", "", "How many heads of a layer sink at that key, too."},
    Entry{"hidden", "Hidden sinks of a head", "", "Sinks after the first, mean over rows."},
    Entry{"delta_loss", "Change of the loss", "nats", "Loss with the change minus the clean loss."},
    Entry{"kl", "KL to the clean prediction", "nats", "KL(clean ‖ changed) at the last position."},
    Entry{"delta_entropy", "Change of the entropy", "nats", "At the last position."},
    Entry{"effects", "What each change does", "", ""},
    Entry{"texts", "Continuations", "", ""},
    Entry{"perplexity", "Perplexity by position", "", "e to the mean −log p of the bin's tokens."},
    Entry{"nll", "−log p by position", "nats", ""},
    Entry{"caches", "Caches", "", ""},
    Entry{"gate", "Gate", "",
          "How far a layer's attention output moves when the key head keeps sinks and a window only."},
    Entry{"retrieval", "Retrieval heads (1)", "", "Key heads that keep all tokens; the others stream."},
    Entry{"trials", "The split tried", "", ""},
    Entry{"saving", "What the split saves", "", ""},
    Entry{"entropy", "Entropy", "nats", "−Σ p ln p: 0 is certain, ln n is an even spread over n."},
    Entry{"normalised", "Normalised entropy of heads", "share",
          "Share of ln(visible keys): 1 is an even spread."},
    Entry{"without_sinks", "Entropy without the sink keys", "",
          "Of the other keys, renormalised: what a head on a sink does with the rest."},
    Entry{"histogram", "Heads", "", ""},
    Entry{"heads", "What each head is", "", ""},
    Entry{"first_leads", "First layer in which the token leads", "layer", ""},
    Entry{"leads_from", "Layer from which the token leads", "layer", ""},
    Entry{"rolling_entropy", "Rolling entropy", "nats", "Mean entropy of the last steps."},
    Entry{"type_token_ratio", "Distinct tokens per token", "", ""},
    Entry{"distinct_n", "Distinct n-grams per n-gram", "", ""},
    Entry{"head_entropy", "Entropy of chosen heads", "nats", ""},
    Entry{"varentropy", "Varentropy", "nats²", "Variance of −ln p: how uneven the uncertainty is."},
    Entry{"kl_to_final", "KL to the final prediction", "nats",
          "How far a layer's reading lies from what the model says in the end."},
    Entry{"logit", "Logit", "", "The score before the softmax; only differences have a meaning."},
    Entry{"prob", "Probability", "", "The softmax of the logits."},
    Entry{"rank", "Rank (0 is the most likely)", "", "How many tokens have a larger logit."},
    Entry{"top", "Most likely tokens by layer", "", ""},
    Entry{"top1", "Probability of the most likely token", "", ""},
    Entry{"margin", "Margin to the second token", "", "Largest minus second largest probability."},
    Entry{"sink_mass", "Attention on the sink", "", "Mean over heads of the weight on the first key."},
    Entry{"ids", "Token ids", "", ""},
    Entry{"previous", "Previous token", "", "Share of attention on the key just before the query."},
    Entry{"duplicate", "Earlier copies", "", "Share of attention on earlier copies of the query's token."},
    Entry{"induction", "After earlier copies", "",
          "Share of attention on keys that came after an earlier copy of the query's token."},
    Entry{"induction_rate", "Induction rate", "", "The same over those queries that have an earlier copy."},
    Entry{"duplicate_rate", "Duplicate rate", "", "The same over those queries that have an earlier copy."},
    Entry{"self", "On itself", "", "Mean attention of a query on its own position."},
    Entry{"distance", "Mean distance", "tokens", "Mean number of tokens between query and key."},
    Entry{"sink", "On the first key", "", "Mean attention on key 0."},
    Entry{"prompt_mass", "Prompt mass", "",
          "Attention of generated queries on the prompt, the first key left out."},
    Entry{"mass_by_step", "Where generated queries look", "", "Mean over heads, by step of the generation."},
    Entry{"prompt_mass_by_step", "On the prompt, by generated token", "",
          "Attention of the generated query on the prompt, the first key left out."},
    Entry{"sink_mass_by_step", "On the first key, by generated token", "",
          "Attention of the generated query on key 0."},
    Entry{"all_heads", "All heads", "", ""},
    Entry{"scatter", "Heads between two metrics", "", ""},
    Entry{"training_step", "Training step", "", ""},
    Entry{"over_heads", "Mean and largest head", "", ""},
    Entry{"share_above", "Heads above epsilon", "%", "Share of heads whose metric is above epsilon."},
    Entry{"loss", "Loss", "nats", "Mean −ln p of the next token."},
    Entry{"checkpoints", "Checkpoints", "", ""},
    Entry{"singular_values", "Singular values", "", "How much a matrix stretches, direction by direction."},
    Entry{"spectra", "Norms and ranks", "", ""},
    Entry{"ov_sign", "OV: copies (1) or turns round (−1)", "", "Re Σλ / Σ|λ| of W_V W_O."},
    Entry{"ov_norm", "OV: norm", "", "Frobenius norm of W_V W_O."},
    Entry{"ov_rank", "OV: effective rank", "", "e to the entropy of its singular values."},
    Entry{"ov_singular_values", "OV: singular values", "", "How much a head stretches what it moves."},
    Entry{"qk_sign", "QK: seeks its like (1) or unlike (−1)", "", "Re Σλ / Σ|λ| of scale · W_Q W_Kᵀ."},
    Entry{"qk_norm", "QK: norm", "", "Frobenius norm of scale · W_Q W_Kᵀ."},
    Entry{"qk_rank", "QK: effective rank", "", "e to the entropy of its singular values."},
    Entry{"qk_singular_values", "QK: singular values", "", "How sharply a head can tell keys apart."},
    Entry{"q_composition", "Q-composition", "",
          "How much a later head's queries read of what an earlier head writes."},
    Entry{"k_composition", "K-composition", "",
          "How much a later head's keys read of what an earlier head writes."},
    Entry{"v_composition", "V-composition", "",
          "How much a later head's values read of what an earlier head writes."},
    Entry{"baseline", "Baseline: unrelated random matrices", "", "1/√d_model."},
    Entry{"strongest", "Furthest above the baseline", "", ""},
    Entry{"conditions", "What this holds for", "", ""},
    Entry{"attribution", "What each part adds", "logits",
          "A part of the residual stream times the unembedding, norms held at their scale."},
    Entry{"head_attribution", "What each head adds", "logits",
          "A head's output times the unembedding, norms held at their scale."},
    Entry{"residual", "Sum of the parts − logit", "", "What rounding leaves."},
    Entry{"logits", "Sums beside the model's logits", "", ""},
    Entry{"neurons", "Neurons that add most", "", ""},
    Entry{"isotropy", "Mean cosine of all pairs", "",
          "High: tokens point the same way, the stream is anisotropic."},
    Entry{"isotropy_nonspecial", "The same without special tokens", "", ""},
    Entry{"isotropy_without_top", "The same without the largest dimensions", "", ""},
    Entry{"adjacent_cosine", "Cosine of neighbouring tokens", "", ""},
    Entry{"norm", "Mean length of the residual stream", "", "After each layer."},
    Entry{"norm_ratio", "Attention writes, against what was there", "", "‖attn_out‖ / ‖resid_pre‖"},
    Entry{"mlp_ratio", "MLP writes, against what was there", "", "‖mlp_out‖ / ‖resid_pre‖"},
    Entry{"effective_rank", "Effective rank", "dimensions", "e to the entropy of the singular values."},
    Entry{"importance", "Importance", "",
          "Above 0 it makes the token read more likely (leave-one-out); shares of 1 (reagent, rollout)."},
    Entry{"tokens", "Token by token", "", ""},
    Entry{"read", "What is read of the prompt as it is", "", ""},
    Entry{"spans", "Span by span", "", ""},
    Entry{"agreement", "Agreement", "", "Share whose top token is the one expected."},
    Entry{"accuracy", "Top token is the one that follows", "", "Share of positions."},
    Entry{"control", "Control", "", ""},
    Entry{"settled", "Settled", "", "Share of positions whose top token stays the final one from there on."},
    Entry{"memories", "What triggers the neurons", "", ""},
    Entry{"values", "What their value vectors promote", "", ""},
    Entry{"updates", "What single neurons promote here", "", ""},
    Entry{"copying", "Copying", "", "Share of sources among the tokens that the head promotes most."},
    Entry{"anticopying", "Suppressing what is attended to", "",
          "Share of sources among the tokens that the head suppresses most."},
    Entry{"writes", "What heads write", "", ""},
    Entry{"vector", "Steering vector", "", "Mean of the one set less mean of the other."},
    Entry{"length", "Its length", "", ""},
    Entry{"typical", "Length of what stands there", "", ""},
    Entry{"separation", "Separation", "", "Share of pairs across the sets in the right order."},
    Entry{"projections", "Prompts along the direction", "", ""},
    Entry{"use", "How to use it", "", ""},
    Entry{"coding_rate", "Coding rate", "nats", "½ ln det(I + d / (n ε²) Z Zᵀ)"},
    Entry{"prompt_mass", "On the prompt", "",
          "Mean attention of generated tokens on the prompt, its first token aside."},
};

} // namespace

Quantity quantity_of(const std::string& name) {
    constexpr std::string_view suffix = "_difference";
    if (name.ends_with(suffix)) {
        Quantity out = quantity_of(name.substr(0, name.size() - suffix.size()));
        out.title += QStringLiteral(", A − B");
        return out;
    }
    for (const Entry& entry : entries)
        if (name == entry.name)
            return {QString::fromUtf8(entry.title), QString::fromUtf8(entry.unit),
                    QString::fromUtf8(entry.meaning)};
    QString title = QString::fromStdString(name).replace(QLatin1Char('_'), QLatin1Char(' '));
    if (!title.isEmpty()) title[0] = title[0].toUpper();
    return {title, {}, {}};
}

QString title_of(const Quantity& quantity) {
    return quantity.unit.isEmpty() ? quantity.title : quantity.title + QStringLiteral(", ") + quantity.unit;
}

} // namespace vitrine::figure
