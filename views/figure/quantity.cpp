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
    Entry{"entropy", "Entropy", "nats", "−Σ p ln p: 0 is certain, ln n is an even spread over n."},
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
