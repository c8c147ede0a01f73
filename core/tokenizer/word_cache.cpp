#include "core/tokenizer/word_cache.h"

namespace vitrine::tokenizer {

namespace {

constexpr std::size_t longest_word = 64;
constexpr std::size_t most_words = std::size_t{1} << 16;

} // namespace

bool WordCache::append(std::string_view word, std::vector<WordToken>& tokens) const {
    if (word.size() > longest_word) return false;
    const auto found = entries_.find(word);
    if (found == entries_.end()) return false;
    const auto first = pool_.begin() + found->second.first;
    tokens.insert(tokens.end(), first, first + found->second.count);
    return true;
}

void WordCache::remember(std::string_view word, const std::vector<WordToken>& tokens, std::size_t first) {
    if (word.size() > longest_word) return;
    if (entries_.size() >= most_words) {
        entries_.clear();
        pool_.clear();
    }
    const Entry entry{static_cast<std::uint32_t>(pool_.size()),
                      static_cast<std::uint32_t>(tokens.size() - first)};
    pool_.insert(pool_.end(), tokens.begin() + static_cast<std::ptrdiff_t>(first), tokens.end());
    entries_.emplace(word, entry);
}

} // namespace vitrine::tokenizer
