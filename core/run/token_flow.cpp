#include "core/run/token_flow.h"

#include <algorithm>

namespace vitrine::run {

namespace {

template <typename T>
const T* as(const Op& op) {
    return std::get_if<T>(&op);
}

/// Where rows of a batch begin alike by less than this share of its tokens, telling them apart is not worth
/// the copies.
constexpr int least_shared = 8;

} // namespace

TokenFlow::TokenFlow(const Plan& plan)
    : plan_(plan), classes_(plan), ops_(plan.ops.size()), current_(plan.values.size(), absent),
      captured_(plan.values.size()),
      all_(std::make_shared<const std::vector<char>>(static_cast<std::size_t>(classes_.tokens()), 1)) {
    find_chains();
    forward();
    backward();
}

/// Scores and pattern of a layer that are apart change together: rows that either edits are computed by
/// themselves from the scores on.
void TokenFlow::find_chains() {
    for (const Op& op : plan_.ops) {
        if (const auto* pattern = as<AttentionPattern>(op)) pattern_of_[pattern->in] = pattern->out;
        if (const auto* mix = as<AttentionMix>(op)) values_of_[mix->pattern] = mix->v;
        if (const auto* capture = as<Capture>(op)) captured_[static_cast<std::size_t>(capture->value)] = true;
        if (const auto* edit = as<Edit>(op)) {
            if (plan_.values[static_cast<std::size_t>(edit->value)].layout != Layout::pairs) continue;
            auto& entries = edits_[edit->value];
            entries.insert(entries.end(), edit->entries.begin(), edit->entries.end());
        }
    }
}

int TokenFlow::add(Version version) {
    current_[static_cast<std::size_t>(version.value)] = static_cast<int>(versions_.size());
    versions_.push_back(std::move(version));
    return static_cast<int>(versions_.size()) - 1;
}

Classes TokenFlow::all_of(const std::vector<int>& versions) const {
    Classes all = classes_.by_position();
    for (const int id : versions)
        all = classes_.both(all, version(id).classes);
    return all;
}

/// Queries that are alike, whose keys and values are alike as far as they see.
Classes TokenFlow::attended(const Attention& op) const {
    const auto& keys = version(current(op.k)).classes;
    const auto& values = version(current(op.v)).classes;
    Classes queries = version(current(op.q)).classes;
    if (op.q_sinks != absent) queries = classes_.both(queries, version(current(op.q_sinks)).classes);
    return classes_.both(queries, classes_.prefixes(classes_.both(keys, values)));
}

/// Rows that are alike in queries, keys, values and what is done to scores and pattern.
Classes TokenFlow::chained(const AttentionScores& op) const {
    const ValueId pattern = pattern_of_.at(op.out);
    Classes rows = classes_.both(version(current(op.q)).classes, version(current(op.k)).classes);
    rows = classes_.both(rows, version(current(values_of_.at(pattern))).classes);
    if (op.q_sinks != absent) rows = classes_.both(rows, version(current(op.q_sinks)).classes);
    const auto edits = [&](ValueId id) {
        const auto found = edits_.find(id);
        return classes_.edits_of_rows(found == edits_.end() ? std::vector<EditEntry>() : found->second);
    };
    const std::vector<int> scores = edits(op.out);
    std::vector<int> both = edits(pattern);
    for (std::size_t row = 0; row < both.size(); ++row) // unique, since neither exceeds the number of rows
        both[row] = both[row] * (static_cast<int>(scores.size()) + 1) + scores[row];
    return classes_.whole_rows(classes_.prefixes(rows), both);
}

/// The version of `value` that an op writes.
Version TokenFlow::written(const Op& op, const OpVersions& at, ValueId value) const {
    Version out;
    out.value = value;
    out.by_rows = plan_.values[static_cast<std::size_t>(value)].layout == Layout::pairs;
    const bool reads_selected =
        std::any_of(at.reads.begin(), at.reads.end(), [&](int id) { return version(id).selected; });
    if (as<Select>(op) != nullptr || reads_selected) {
        out.selected = true;
    } else if (as<Constant>(op) != nullptr) {
        out.whole = true;
        out.classes = classes_.apart();
    } else if (as<Embed>(op) != nullptr) {
        const Classes begins = classes_.prefixes(classes_.by_token());
        int apart = 0;
        for (int t = 0; t < classes_.tokens(); ++t)
            apart += (*begins)[static_cast<std::size_t>(t)] == t ? 1 : 0;
        const bool worth = (classes_.tokens() - apart) * least_shared >= classes_.tokens();
        out.classes = worth ? classes_.by_token() : classes_.apart();
    } else if (as<PositionEmbed>(op) != nullptr) {
        out.classes = classes_.by_position();
    } else if (const auto* rotate = as<Rotate>(op); rotate != nullptr && !rotate->first.empty()) {
        std::vector<int> lines;
        for (int t = 0; t < classes_.tokens(); ++t)
            lines.push_back(rotate->first[static_cast<std::size_t>(classes_.row(t))]);
        out.classes = classes_.with(all_of(at.reads), lines);
    } else if (const auto* attention = as<Attention>(op)) {
        out.classes = attended(*attention);
        out.whole = attention->scores != absent || attention->pattern != absent;
    } else if (const auto* scores = as<AttentionScores>(op)) {
        out.classes = chained(*scores);
        out.whole = captured_[static_cast<std::size_t>(scores->out)] ||
                    captured_[static_cast<std::size_t>(pattern_of_.at(scores->out))];
    } else if (as<AttentionPattern>(op) != nullptr || as<SigmoidPattern>(op) != nullptr) {
        out.classes = version(at.reads.front()).classes;
        out.whole = version(at.reads.front()).whole;
    } else if (const auto* mix = as<AttentionMix>(op)) {
        out.by_rows = true;
        out.classes = version(current(mix->pattern)).classes;
        out.whole = version(current(mix->pattern)).whole;
    } else if (const auto* edit = as<Edit>(op); edit != nullptr && out.by_rows) {
        out.classes = version(current(value)).classes;
        out.whole = version(current(value)).whole;
    } else if (edit != nullptr) {
        out.classes = classes_.with(all_of(at.reads), classes_.edits_of_tokens(edit->entries));
    } else {
        out.classes = all_of(at.reads);
    }
    return out;
}

void TokenFlow::forward() {
    for (std::size_t i = 0; i < plan_.ops.size(); ++i) {
        const Op& op = plan_.ops[i];
        const Access access = access_of(op);
        OpVersions& at = ops_[i];
        for (const ValueId id : access.reads)
            at.reads.push_back(current(id));
        std::vector<Version> written_now;
        for (const ValueId id : access.writes)
            written_now.push_back(written(op, at, id));
        for (Version& version : written_now)
            at.writes.push_back(add(std::move(version)));
    }
}

TokenSet TokenFlow::chosen(const std::vector<int>& tokens) const {
    std::vector<char> set(all_->size());
    for (const int token : tokens)
        set[static_cast<std::size_t>(token)] = 1;
    return std::make_shared<const std::vector<char>>(std::move(set));
}

/// Of each row that has some of the tokens, all up to the last of them, or all.
TokenSet TokenFlow::rows_of(const TokenSet& tokens, bool to_the_end) {
    if (tokens == all_) return all_;
    TokenSet& known = rows_[{tokens, to_the_end}];
    if (known) return known;
    std::vector<char> rows(tokens->size());
    for (int row = 0; row < plan_.batch.rows(); ++row) {
        const int begin = plan_.batch.row_start[static_cast<std::size_t>(row)];
        const int end = plan_.batch.row_start[static_cast<std::size_t>(row) + 1];
        int last = end - 1;
        while (last >= begin && (*tokens)[static_cast<std::size_t>(last)] == 0)
            --last;
        if (last >= begin) std::fill(rows.begin() + begin, rows.begin() + (to_the_end ? end : last + 1), 1);
    }
    known = std::make_shared<const std::vector<char>>(std::move(rows));
    return known;
}

namespace {

TokenSet united(const TokenSet& a, const TokenSet& b) {
    if (!a || a == b) return b;
    if (!b) return a;
    std::vector<char> both(a->size());
    for (std::size_t t = 0; t < both.size(); ++t)
        both[t] = (*a)[t] | (*b)[t];
    if (both == *a) return a;
    if (both == *b) return b;
    return std::make_shared<const std::vector<char>>(std::move(both));
}

} // namespace

void TokenFlow::want(int id, const TokenSet& tokens) {
    Version& version = versions_[static_cast<std::size_t>(id)];
    version.wanted = true;
    if (version.selected) return;
    if (version.whole)
        version.tokens = all_;
    else
        version.tokens = united(version.tokens, version.by_rows ? rows_of(tokens, true) : tokens);
}

void TokenFlow::want_inputs(std::size_t index) {
    const Op& op = plan_.ops[index];
    const OpVersions& at = ops_[index];
    if (as<Capture>(op) != nullptr) return want(at.reads.front(), all_);
    if (const auto* stats = as<LogitStats>(op)) return want(at.reads.front(), chosen(stats->rows));

    // What one of several outputs wants, all are computed for.
    TokenSet tokens;
    bool any = false;
    for (const int id : at.writes) {
        any = any || version(id).wanted;
        tokens = united(tokens, version(id).tokens);
    }
    if (!any) return;
    for (const int id : at.writes)
        want(id, tokens);
    if (const auto* select = as<Select>(op)) return want(at.reads.front(), chosen(select->rows));
    tokens = version(at.writes.front()).tokens;
    if (as<Attention>(op) != nullptr) {
        // q, k, v and perhaps q_sinks, as places_of() gives them
        for (std::size_t i = 0; i < at.reads.size(); ++i)
            want(at.reads[i], i == 1 || i == 2 ? rows_of(tokens, false) : tokens);
        return;
    }
    const bool of_rows = as<AttentionScores>(op) != nullptr || as<AttentionMix>(op) != nullptr;
    for (const int id : at.reads)
        want(id, of_rows ? rows_of(tokens, true) : tokens);
}

void TokenFlow::backward() {
    for (std::size_t i = plan_.ops.size(); i-- > 0;)
        want_inputs(i);
}

std::vector<int> TokenFlow::computed(const Version& version) const {
    std::vector<char> first(version.tokens->size());
    for (std::size_t t = 0; t < first.size(); ++t)
        if ((*version.tokens)[t] != 0)
            first[version.whole ? t : static_cast<std::size_t>((*version.classes)[t])] = 1;
    std::vector<int> tokens;
    for (std::size_t t = 0; t < first.size(); ++t)
        if (first[t] != 0) tokens.push_back(static_cast<int>(t));
    return tokens;
}

} // namespace vitrine::run
