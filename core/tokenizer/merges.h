#pragma once
#include <cstddef>
#include <cstdint>
#include <vector>

namespace vitrine::tokenizer {

/// What two neighbouring tokens become, and when: lower ranks go first.
struct Merge {
    std::uint32_t rank = 0;
    std::int32_t id = 0;
};

/// Pair of ids → Merge: a hash table of one array, the hottest look-up of BPE.
class Merges {
public:
    /// Room for `count` pairs.
    explicit Merges(std::size_t count = 0);

    /// A pair that is there already is replaced.
    void add(std::int32_t left, std::int32_t right, Merge merge);

    /// nullptr if the pair does not merge.
    const Merge* find(std::int32_t left, std::int32_t right) const;

private:
    struct Slot {
        std::uint64_t key = empty;
        Merge merge;
    };
    static constexpr std::uint64_t empty = ~std::uint64_t{0}; // no id is negative

    std::size_t slot_of(std::uint64_t key) const;

    std::vector<Slot> slots_; // a power of two, at most half full
};

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
