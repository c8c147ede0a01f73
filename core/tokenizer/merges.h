#pragma once
#include <cstdint>
#include <vector>

#include "core/tokenizer/pair_table.h"

namespace vitrine::tokenizer {

/// What two neighbouring tokens become, and when: lower ranks go first.
struct Merge {
    std::uint32_t rank = 0;
    std::int32_t id = 0;
};

/// Pair of ids → Merge.
using Merges = PairTable<Merge>;

/// A token while its word is being merged.
struct Symbol {
    std::int32_t id = 0;
    std::uint32_t bytes = 0; ///< 0: gone, merged into another
    std::int32_t previous = -1;
    std::int32_t next = -1;
};

/// Merges neighbours by rank, leftmost first among equals, until none merges. Takes O(n log n), so a megabyte
/// without a space is no trouble.
void merge_all(const Merges& merges, std::vector<Symbol>& symbols);

} // namespace vitrine::tokenizer
