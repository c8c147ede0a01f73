#pragma once
#include <cstddef>
#include <string_view>

#include "core/tokenizer/pair_table.h"
#include "core/tokenizer/unicode.h"

namespace vitrine::tokenizer {

/// Where merging cannot reach across: between two characters that no merge brings together. What lies on one
/// side of such a place does not matter to the other, so a text without spaces falls into parts that may be
/// remembered.
class Seams {
public:
    /// A merge of two tokens, neither of them empty.
    void add(std::string_view left, std::string_view right) {
        bridges_.add(decode_at(left, character_before(left, left.size())).value, decode_at(right, 0).value,
                     true);
    }

    /// Bytes of `word` up to its first seam. Characters that are not `known` (to be a token each) stay
    /// together with their neighbours.
    template <typename Known>
    std::size_t first(std::string_view word, Known known) const {
        CodePoint left = decode_at(word, 0);
        std::size_t at = left.bytes;
        bool left_known = known(left.value);
        while (at < word.size()) {
            const CodePoint right = decode_at(word, at);
            const bool right_known = known(right.value);
            if (left_known && right_known && bridges_.find(left.value, right.value) == nullptr) return at;
            left = right;
            left_known = right_known;
            at += right.bytes;
        }
        return at;
    }

private:
    PairTable<bool> bridges_; // last character of a left token and first of a right one, of every merge
};

} // namespace vitrine::tokenizer
