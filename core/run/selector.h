#pragma once
// Which rows, positions, heads, channels or keys: `all`, numbers, lists `1,4`, ranges `2:5` (end excluded).
#include <string>
#include <string_view>
#include <vector>

#include "core/base/result.h"

namespace vitrine::run {

/// Words that only positions have.
enum class SelectorWord {
    none,
    prompt,     ///< tokens of the prompt
    generated,  ///< tokens that generation added (`new`)
    nonspecial, ///< tokens that are not special tokens
};

/// Half-open range; negative ends count from the end of the axis.
struct SelectorRange {
    int begin = 0;
    int end = 0;
    bool single = false; ///< one index, `begin`
};

struct Selector {
    bool all = true;
    SelectorWord word = SelectorWord::none;
    std::vector<SelectorRange> ranges; ///< used if neither all nor word

    static Selector one(int index) { return {false, SelectorWord::none, {{index, 0, true}}}; }
    static Selector range(int begin, int end) { return {false, SelectorWord::none, {{begin, end, false}}}; }
};

/// Parses the text after `pos=` and its like. Words are accepted only with `words`.
Result<Selector> parse_selector(std::string_view text, bool words);
std::string to_text(const Selector& selector);

/// The indices of [0, size) that are meant, in the order given, without words. Indices outside the axis are
/// left out. `from_end`: what negative numbers count from, if not `size`.
std::vector<int> indices(const Selector& selector, int size, int from_end = -1);

} // namespace vitrine::run
