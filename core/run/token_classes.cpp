#include "core/run/token_classes.h"

#include <algorithm>
#include <bit>

namespace vitrine::run {

namespace {

std::uint64_t pair_of(int a, int b) {
    return std::uint64_t{static_cast<std::uint32_t>(a)} << 32 | static_cast<std::uint32_t>(b);
}

/// Keys and the first token that had each: a flat table, since a sweep looks up millions.
class Seen {
public:
    explicit Seen(int most) : slots_(std::bit_ceil(2 * static_cast<std::size_t>(most) + 1)) {}

    /// The first token that came with this key.
    int first(std::uint64_t key, int token) {
        std::size_t at = (key * 0x9E3779B97F4A7C15ULL) >> 20 & (slots_.size() - 1);
        while (slots_[at].token >= 0 && slots_[at].key != key)
            at = (at + 1) & (slots_.size() - 1);
        if (slots_[at].token < 0) slots_[at] = {key, token};
        return slots_[at].token;
    }

private:
    struct Slot {
        std::uint64_t key = 0;
        int token = -1;
    };
    std::vector<Slot> slots_;
};

/// first[t]: the first token with t's key.
template <typename Key>
Classes first_with(int tokens, const Key& key) {
    Seen seen(tokens);
    auto first = std::make_shared<std::vector<int>>();
    first->reserve(static_cast<std::size_t>(tokens));
    for (int t = 0; t < tokens; ++t)
        first->push_back(seen.first(key(t), t));
    return first;
}

} // namespace

TokenClasses::TokenClasses(const Plan& plan) : plan_(plan) {
    const Batch& batch = plan.batch;
    for (int row = 0; row < batch.rows(); ++row)
        for (int i = 0; i < batch.queries(row); ++i) {
            row_.push_back(row);
            position_.push_back(i);
        }
    std::vector<int> identity;
    for (int t = 0; t < tokens(); ++t)
        identity.push_back(t);
    apart_ = std::make_shared<const std::vector<int>>(std::move(identity));
    by_position_ = first_with(tokens(), [&](int t) { return pair_of(position(t), 0); });
    by_token_ = first_with(
        tokens(), [&](int t) { return pair_of(position(t), batch.tokens[static_cast<std::size_t>(t)]); });
}

Classes TokenClasses::both(const Classes& a, const Classes& b) const {
    if (a == b || a == apart_ || b == by_position_) return a;
    if (b == apart_ || a == by_position_) return b;
    const auto decides = [&](const std::vector<int>& finer, const std::vector<int>& other) {
        for (std::size_t t = 0; t < finer.size(); ++t)
            if (other[static_cast<std::size_t>(finer[t])] != other[t]) return false;
        return true;
    };
    if (decides(*a, *b)) return a;
    if (decides(*b, *a)) return b;
    return with(a, *b);
}

Classes TokenClasses::with(const Classes& classes, const std::vector<int>& numbers) const {
    if (classes == apart_ || std::all_of(numbers.begin(), numbers.end(), [](int n) { return n == 0; }))
        return classes;
    // Most tokens have no number: those of a class share its first one without.
    std::vector<int> without(static_cast<std::size_t>(tokens()), absent);
    auto first = std::make_shared<std::vector<int>>(static_cast<std::size_t>(tokens()));
    Seen seen(static_cast<int>(numbers.size() -
                               static_cast<std::size_t>(std::count(numbers.begin(), numbers.end(), 0))));
    for (int t = 0; t < tokens(); ++t) {
        const auto at = static_cast<std::size_t>(t);
        const int own = (*classes)[at];
        int& known = without[static_cast<std::size_t>(own)];
        if (numbers[at] != 0)
            (*first)[at] = seen.first(pair_of(own, numbers[at]), t);
        else
            (*first)[at] = known = known == absent ? t : known;
    }
    return first;
}

Classes TokenClasses::prefixes(const Classes& keys) const {
    Seen seen(tokens());
    auto first = std::make_shared<std::vector<int>>(static_cast<std::size_t>(tokens()));
    for (int t = 0; t < tokens(); ++t) {
        const auto at = static_cast<std::size_t>(t);
        const int before = position(t) == 0 ? -1 : (*first)[at - 1];
        (*first)[at] = seen.first(pair_of(before, (*keys)[at]), t);
    }
    return first;
}

Classes TokenClasses::whole_rows(const Classes& prefixes, const std::vector<int>& row_numbers) const {
    const Batch& batch = plan_.batch;
    Seen seen(batch.rows());
    auto first = std::make_shared<std::vector<int>>();
    for (int row = 0; row < batch.rows(); ++row) {
        const auto index = static_cast<std::size_t>(row);
        const auto last = static_cast<std::size_t>(batch.row_start[index + 1]) - 1;
        const int alike = seen.first(pair_of((*prefixes)[last], row_numbers[index]), row);
        for (int i = 0; i < batch.queries(row); ++i)
            first->push_back(batch.row_start[static_cast<std::size_t>(alike)] + i);
    }
    return first;
}

std::vector<std::int64_t> TokenClasses::signature(const EditEntry& entry, int position) const {
    const std::int64_t moved =
        entry.tensor == absent ? 0 : entry.offset + (position - entry.pos_begin) * entry.pos_stride;
    // The same tensor may stand among the constants several times.
    const auto tensor = entry.tensor == absent
                            ? std::int64_t{0}
                            : static_cast<std::int64_t>(reinterpret_cast<std::intptr_t>(
                                  plan_.constants[static_cast<std::size_t>(entry.tensor)].get()));
    return {static_cast<std::int64_t>(entry.kind),
            entry.head_begin,
            entry.head_end,
            entry.channel_begin,
            entry.channel_end,
            std::bit_cast<std::int32_t>(entry.scalar),
            std::bit_cast<std::int32_t>(entry.threshold),
            tensor,
            moved,
            entry.head_stride,
            entry.channel_stride};
}

std::vector<int> TokenClasses::edits_of_tokens(const std::vector<EditEntry>& entries) const {
    std::map<int, std::vector<std::int64_t>> done; // by token
    for (const EditEntry& entry : entries)
        for (int pos = entry.pos_begin; pos < entry.pos_end; ++pos) {
            const int token = plan_.batch.row_start[static_cast<std::size_t>(entry.row)] + pos;
            const std::vector<std::int64_t> one = signature(entry, pos);
            auto& all = done[token];
            all.insert(all.end(), one.begin(), one.end());
        }
    std::map<std::vector<std::int64_t>, int> numbers{{{}, 0}};
    std::vector<int> result(static_cast<std::size_t>(tokens()));
    for (const auto& [token, what] : done)
        result[static_cast<std::size_t>(token)] =
            numbers.emplace(what, static_cast<int>(numbers.size())).first->second;
    return result;
}

std::vector<int> TokenClasses::edits_of_rows(const std::vector<EditEntry>& entries) const {
    std::vector<std::vector<std::int64_t>> done(static_cast<std::size_t>(plan_.batch.rows()));
    for (const EditEntry& entry : entries) {
        std::vector<std::int64_t> one = signature(entry, entry.pos_begin);
        one.push_back(entry.pos_begin);
        one.push_back(entry.pos_end);
        one.push_back(entry.pos_stride);
        auto& all = done[static_cast<std::size_t>(entry.row)];
        all.insert(all.end(), one.begin(), one.end());
    }
    std::map<std::vector<std::int64_t>, int> numbers{{{}, 0}};
    std::vector<int> result;
    for (const auto& what : done)
        result.push_back(
            what.empty() ? 0 : numbers.emplace(what, static_cast<int>(numbers.size())).first->second);
    return result;
}

} // namespace vitrine::run
