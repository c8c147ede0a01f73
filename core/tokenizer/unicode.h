#pragma once
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace vitrine::tokenizer {

/// A code point and the bytes it takes.
struct CodePoint {
    char32_t value = 0;
    std::size_t bytes = 0;
};

/// The code point at `text[at]`; the text must be valid UTF-8 and `at` the start of a character.
CodePoint decode_at(std::string_view text, std::size_t at);

/// The bytes of the character at `text[at]`, by its first byte.
std::size_t character_bytes(char first);

/// True inside a character, at its second, third or fourth byte.
inline bool is_continuation(char byte) { return (static_cast<unsigned char>(byte) & 0xC0U) == 0x80U; }

/// Where the character before byte `at` begins; at > 0.
std::size_t character_before(std::string_view text, std::size_t at);

void append_utf8(std::string& text, char32_t value);

/// Offset of the first byte that is not part of valid UTF-8 (no surrogates, no overlong forms), if there is
/// one.
std::optional<std::size_t> first_invalid(std::string_view text);

/// Each maximal broken part becomes one U+FFFD.
std::string replace_invalid(std::string_view text);

// Categories are those of the Unicode version that the `tokenizers` library uses.
bool is_whitespace(char32_t value);      ///< property White_Space
bool is_numeric(char32_t value);         ///< categories Nd, Nl, No
bool is_punctuation(char32_t value);     ///< categories P*, and the ASCII symbols $+<=>^`|~
bool is_mark(char32_t value);            ///< categories M*
bool is_nonspacing_mark(char32_t value); ///< category Mn
bool is_control(char32_t value);         ///< categories Cc, Cf, Co

/// Full lower-case mapping without context: one character, or two for U+0130.
std::u32string lower_case(char32_t value);
std::u32string upper_case(char32_t value); ///< one character, or two for U+00DF

} // namespace vitrine::tokenizer
