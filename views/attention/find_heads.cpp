#include "views/attention/find_heads.h"

#include <algorithm>

#include "views/attention/sinks.h"

namespace vitrine::views {

namespace {

template <typename Visit>
void each_head(const ShownRun& run, const Visit& visit) {
    for (int layer = 0; layer < run.layers; ++layer)
        for (int head = 0; head < run.heads; ++head)
            visit(layer, head, run.pattern(layer, head));
}

/// Of the keys `from` ≤ key < `to`, the one that some head's last query looks at most strongly.
std::optional<FoundHead> strongest(const ShownRun& run, int from, int to) {
    std::optional<FoundHead> best;
    const int query = run.size() - 1;
    each_head(run, [&](int layer, int head, const figure::Matrix& pattern) {
        for (int key = from; key < to; ++key) {
            const double weight = pattern.at(query, key);
            if (!best || weight > best->weight) best = FoundHead{{layer, head, query, key}, weight};
        }
    });
    return best;
}

} // namespace

std::optional<FoundHead> find_induction_head(const ShownRun& run) {
    const int query = run.size() - 1;
    if (!run.has_patterns()) return std::nullopt;
    for (int at = query - 2; at >= 1; --at) // the latest copy that has something between it and the query
        if (run.tokens[static_cast<std::size_t>(at)].id == run.tokens[static_cast<std::size_t>(query)].id)
            return strongest(run, at + 1, at + 2);
    return std::nullopt;
}

std::optional<FoundHead> find_sink_head(const ShownRun& run) {
    std::optional<FoundHead> best;
    if (!run.has_patterns()) return best;
    each_head(run, [&](int layer, int head, const figure::Matrix& pattern) {
        const auto sinks = sink_columns(pattern);
        const auto alpha = alpha_of(pattern);
        for (std::size_t key = 0; key < sinks.size(); ++key)
            if (sinks[key] && (!best || alpha[key] > best->weight))
                best = FoundHead{{layer, head, run.size() - 1, static_cast<int>(key)}, alpha[key]};
    });
    return best;
}

int heads_with_sinks(const ShownRun& run) {
    int out = 0;
    if (!run.has_patterns()) return out;
    each_head(run, [&](int, int, const figure::Matrix& pattern) {
        const auto sinks = sink_columns(pattern);
        out += std::find(sinks.begin(), sinks.end(), true) != sinks.end();
    });
    return out;
}

std::optional<FoundHead> find_telling_head(const ShownRun& run) {
    if (!run.has_patterns() || run.size() < 4) return std::nullopt;
    const auto induction = find_induction_head(run);
    const auto back = strongest(run, 1, run.size() - 2);
    return induction && (!back || induction->weight > 0.2) ? induction : back;
}

} // namespace vitrine::views
