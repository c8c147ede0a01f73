#pragma once
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "core/tokenizer/model.h"

namespace vitrine::tokenizer {

/// Lets a map of std::string be searched by std::string_view.
struct StringHash {
    using is_transparent = void;
    std::size_t operator()(std::string_view text) const { return std::hash<std::string_view>()(text); }
};

using StringMap = std::unordered_map<std::string, std::int32_t, StringHash, std::equal_to<>>;

/// Remembers the tokens of short words: prose repeats itself. Forgets everything when it is full.
class WordCache {
public:
    /// Appends the word's tokens and returns true if it is known.
    bool append(std::string_view word, std::vector<WordToken>& tokens) const;

    /// tokens[first…] are the word's.
    void remember(std::string_view word, const std::vector<WordToken>& tokens, std::size_t first);

private:
    struct Entry {
        std::uint32_t first = 0;
        std::uint32_t count = 0;
    };
    std::unordered_map<std::string, Entry, StringHash, std::equal_to<>> entries_;
    std::vector<WordToken> pool_;
};

} // namespace vitrine::tokenizer
