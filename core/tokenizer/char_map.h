#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/base/result.h"

namespace vitrine::tokenizer {

/// sentencepiece's compiled normalization rules: a double array of what is replaced (units of darts-clone)
/// and the replacements.
class CharMap {
public:
    CharMap() = default; ///< without rules

    /// malformed: sizes that do not fit together, rules that lead out of the tables.
    static Result<CharMap> read(std::string_view bytes, const std::string& where);

    bool empty() const { return units_.empty(); }

    /// Replacement by the rule for the shortest start of `text` that has one.
    std::optional<std::string_view> shortest(std::string_view text) const;

    /// Bytes that the rule for the longest start of `text` replaces, 0 if there is none, and by what.
    std::pair<std::size_t, std::string_view> longest(std::string_view text) const;

private:
    template <typename Found>
    void walk(std::string_view text, Found found) const;
    std::string_view replacement(std::uint32_t offset) const;

    std::vector<std::uint32_t> units_;
    std::string replacements_; // each ends with a zero byte
};

} // namespace vitrine::tokenizer
