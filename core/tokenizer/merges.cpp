#include "core/tokenizer/merges.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <limits>

namespace vitrine::tokenizer {

namespace {

constexpr std::size_t short_word = 24; // symbols; up to here scanning beats a heap
constexpr std::uint32_t no_rank = std::numeric_limits<std::uint32_t>::max();

const Merge* find(const Merges& merges, const Symbol& left, const Symbol& right) {
    return merges.find(static_cast<std::uint32_t>(left.id), static_cast<std::uint32_t>(right.id));
}

void merge_short(const Merges& merges, std::vector<Symbol>& symbols) {
    std::array<Merge, short_word> pairs; // pairs[i]: symbols i and i + 1
    const auto look_up = [&](std::size_t i) {
        const Merge* const found = find(merges, symbols[i], symbols[i + 1]);
        pairs[i] = found != nullptr ? *found : Merge{no_rank, 0};
    };
    for (std::size_t i = 0; i + 1 < symbols.size(); ++i)
        look_up(i);
    while (symbols.size() > 1) {
        std::size_t best = 0;
        for (std::size_t i = 1; i + 1 < symbols.size(); ++i)
            if (pairs[i].rank < pairs[best].rank) best = i;
        if (pairs[best].rank == no_rank) return;
        symbols[best].id = pairs[best].id;
        symbols[best].bytes += symbols[best + 1].bytes;
        symbols.erase(symbols.begin() + static_cast<std::ptrdiff_t>(best) + 1);
        std::copy(pairs.begin() + static_cast<std::ptrdiff_t>(best) + 1,
                  pairs.begin() + static_cast<std::ptrdiff_t>(symbols.size()),
                  pairs.begin() + static_cast<std::ptrdiff_t>(best));
        if (best > 0) look_up(best - 1);
        if (best + 1 < symbols.size()) look_up(best);
    }
}

/// A merge that was possible when it was noted down.
struct Candidate {
    std::uint32_t rank;
    std::int32_t position;
    std::int32_t id;
};

bool later(const Candidate& a, const Candidate& b) {
    return a.rank != b.rank ? a.rank > b.rank : a.position > b.position;
}

void merge_long(const Merges& merges, std::vector<Symbol>& symbols) {
    std::vector<Candidate> heap;
    const auto candidate = [&](std::int32_t left) {
        const Symbol& symbol = symbols[static_cast<std::size_t>(left)];
        const Merge* const found = find(merges, symbol, symbols[static_cast<std::size_t>(symbol.next)]);
        if (found != nullptr) heap.push_back({found->rank, left, found->id});
        return found != nullptr;
    };
    const auto count = static_cast<std::int32_t>(symbols.size());
    for (std::int32_t i = 0; i < count; ++i) {
        symbols[static_cast<std::size_t>(i)].previous = i - 1;
        symbols[static_cast<std::size_t>(i)].next = i + 1 < count ? i + 1 : -1;
    }
    for (std::int32_t i = 0; i + 1 < count; ++i)
        candidate(i);
    std::make_heap(heap.begin(), heap.end(), later);

    while (!heap.empty()) {
        const Candidate top = heap.front();
        std::pop_heap(heap.begin(), heap.end(), later);
        heap.pop_back();
        Symbol& left = symbols[static_cast<std::size_t>(top.position)];
        if (left.bytes == 0 || left.next < 0) continue;
        Symbol& right = symbols[static_cast<std::size_t>(left.next)];
        // The neighbours may have changed since the candidate was noted down.
        const Merge* const now = find(merges, left, right);
        if (now == nullptr || now->id != top.id) continue;
        left.id = top.id;
        left.bytes += right.bytes;
        left.next = right.next;
        right.bytes = 0;
        if (left.next >= 0) symbols[static_cast<std::size_t>(left.next)].previous = top.position;
        if (left.previous >= 0 && candidate(left.previous)) std::push_heap(heap.begin(), heap.end(), later);
        if (left.next >= 0 && candidate(top.position)) std::push_heap(heap.begin(), heap.end(), later);
    }
    std::erase_if(symbols, [](const Symbol& symbol) { return symbol.bytes == 0; });
}

} // namespace

void merge_all(const Merges& merges, std::vector<Symbol>& symbols) {
    if (symbols.size() <= short_word)
        merge_short(merges, symbols);
    else
        merge_long(merges, symbols);
}

} // namespace vitrine::tokenizer
