#pragma once
#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "core/base/result.h"

namespace vitrine::tokenizer {

/// A part [begin, end) of a text.
struct Range {
    std::size_t begin = 0;
    std::size_t end = 0;
    bool operator==(const Range&) const = default;
};

/// A regular expression of a tokenizer.json. Those are written for Oniguruma (Ruby syntax); this one runs on
/// PCRE2 with Unicode properties, after `\s`, `\w` and `\h` are spelled out where the two libraries differ.
class Regex {
public:
    /// `where` names the setting in the error sentence (malformed).
    static Result<Regex> compile(std::string_view pattern, std::string_view where);

    /// The leftmost match at or after `from` in valid UTF-8; unsupported if PCRE2 gives up on the text.
    Result<std::optional<Range>> search(std::string_view text, std::size_t from) const;

private:
    struct Code;
    std::shared_ptr<const Code> code_;
};

/// The same pattern in PCRE2's dialect.
std::string from_oniguruma(std::string_view pattern);

} // namespace vitrine::tokenizer
