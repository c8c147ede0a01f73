#pragma once
#include <bit>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace vitrine::tokenizer {

/// Pair of numbers below 2^31 → Value: a hash table in one array, for the hottest look-ups of BPE.
template <typename Value>
class PairTable {
public:
    /// Room for `count` pairs; grows if there are more.
    explicit PairTable(std::size_t count = 0) : slots_(std::bit_ceil(2 * count + 2)) {}

    /// A pair that is there already is replaced.
    void add(std::uint32_t left, std::uint32_t right, Value value) {
        const std::uint64_t key = key_of(left, right);
        Slot& slot = slots_[slot_of(key)];
        const bool is_new = slot.key == empty;
        slot = {key, value};
        if (is_new && 2 * ++count_ > slots_.size()) grow();
    }

    /// nullptr if the pair is not there.
    const Value* find(std::uint32_t left, std::uint32_t right) const {
        const Slot& slot = slots_[slot_of(key_of(left, right))];
        return slot.key == empty ? nullptr : &slot.value;
    }

private:
    struct Slot {
        std::uint64_t key = empty;
        Value value{};
    };
    static constexpr std::uint64_t empty = ~std::uint64_t{0};

    static std::uint64_t key_of(std::uint32_t left, std::uint32_t right) {
        return static_cast<std::uint64_t>(left) << 32 | right;
    }

    std::size_t slot_of(std::uint64_t key) const {
        std::size_t slot = (key * 0x9E3779B97F4A7C15ULL >> 32) & (slots_.size() - 1);
        while (slots_[slot].key != empty && slots_[slot].key != key)
            slot = (slot + 1) & (slots_.size() - 1);
        return slot;
    }

    void grow() {
        std::vector<Slot> old(2 * slots_.size());
        old.swap(slots_);
        for (const Slot& slot : old)
            if (slot.key != empty) slots_[slot_of(slot.key)] = slot;
    }

    std::size_t count_ = 0;
    std::vector<Slot> slots_; // a power of two, at most half full
};

} // namespace vitrine::tokenizer
