#pragma once
// Texts as Python sees them: sequences of characters, not of bytes.
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace vitrine::chat {

std::int64_t length(std::string_view text);

/// Each character by itself; the text must be valid UTF-8.
std::vector<std::string_view> characters(std::string_view text);

/// Without the characters of `set` at its ends; without a set: without white space.
std::string_view strip(std::string_view text, std::optional<std::string_view> set, bool left, bool right);

/// Parts between separators, at most `limit` + 1 (all if negative), counted from the right with `from_right`;
/// without a separator: words between runs of white space.
std::vector<std::string> split(std::string_view text, std::optional<std::string_view> separator,
                               std::int64_t limit, bool from_right);
std::vector<std::string> split_lines(std::string_view text);

/// The first `limit` occurrences (all if negative).
std::string replace(std::string_view text, std::string_view old, std::string_view by, std::int64_t limit);

std::string lower(std::string_view text);
std::string upper(std::string_view text);
std::string title(std::string_view text);      ///< each word with a capital
std::string capitalize(std::string_view text); ///< only the first character with a capital

/// Every line but the first `width` spaces to the right.
std::string indent(std::string_view text, std::int64_t width, bool first, bool blank);

} // namespace vitrine::chat
