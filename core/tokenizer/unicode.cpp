#include "core/tokenizer/unicode.h"

#include <utf8proc.h>

#include "core/tokenizer/unicode_ages.h"

namespace vitrine::tokenizer {

namespace {

constexpr char32_t replacement = 0xFFFD;

/// Bytes of the valid character at `at`, or 0; then `broken` is the length of the maximal broken part.
std::size_t valid_character(std::string_view text, std::size_t at, std::size_t& broken) {
    const auto byte = [&](std::size_t i) -> unsigned {
        return at + i < text.size() ? static_cast<unsigned char>(text[at + i]) : 0U;
    };
    const unsigned first = byte(0);
    broken = 1;
    if (first < 0x80) return 1;
    if (first < 0xC2 || first > 0xF4) return 0;
    const std::size_t length = first < 0xE0 ? 2 : first < 0xF0 ? 3 : 4;
    // The second byte's range excludes overlong forms, surrogates and what lies beyond U+10FFFF.
    const unsigned low = first == 0xE0 ? 0xA0 : first == 0xF0 ? 0x90 : 0x80;
    const unsigned high = first == 0xED ? 0x9F : first == 0xF4 ? 0x8F : 0xBF;
    if (byte(1) < low || byte(1) > high) return 0;
    for (broken = 2; broken < length; ++broken)
        if ((byte(broken) & 0xC0U) != 0x80U) return 0;
    return length;
}

int category(char32_t value) { return utf8proc_category(static_cast<utf8proc_int32_t>(value)); }

} // namespace

std::size_t character_bytes(char first) {
    const auto byte = static_cast<unsigned char>(first);
    return byte < 0x80 ? 1 : byte < 0xE0 ? 2 : byte < 0xF0 ? 3 : 4;
}

std::size_t character_before(std::string_view text, std::size_t at) {
    do
        --at;
    while (at > 0 && is_continuation(text[at]));
    return at;
}

CodePoint decode_at(std::string_view text, std::size_t at) {
    const auto byte = [&](std::size_t i) -> char32_t { return static_cast<unsigned char>(text[at + i]); };
    switch (character_bytes(text[at])) {
    case 1:
        return {byte(0), 1};
    case 2:
        return {(byte(0) & 0x1FU) << 6 | (byte(1) & 0x3FU), 2};
    case 3:
        return {(byte(0) & 0x0FU) << 12 | (byte(1) & 0x3FU) << 6 | (byte(2) & 0x3FU), 3};
    default:
        return {(byte(0) & 0x07U) << 18 | (byte(1) & 0x3FU) << 12 | (byte(2) & 0x3FU) << 6 |
                    (byte(3) & 0x3FU),
                4};
    }
}

void append_utf8(std::string& text, char32_t value) {
    const auto put = [&](char32_t byte) { text += static_cast<char>(byte); };
    if (value < 0x80) return put(value);
    if (value < 0x800) {
        put(0xC0 | value >> 6);
    } else {
        if (value < 0x10000) {
            put(0xE0 | value >> 12);
        } else {
            put(0xF0 | value >> 18);
            put(0x80 | (value >> 12 & 0x3F));
        }
        put(0x80 | (value >> 6 & 0x3F));
    }
    put(0x80 | (value & 0x3F));
}

std::optional<std::size_t> first_invalid(std::string_view text) {
    std::size_t broken = 0;
    for (std::size_t at = 0; at < text.size();) {
        const std::size_t length = valid_character(text, at, broken);
        if (length == 0) return at;
        at += length;
    }
    return std::nullopt;
}

std::string replace_invalid(std::string_view text) {
    std::string result;
    std::size_t broken = 0;
    for (std::size_t at = 0; at < text.size();) {
        const std::size_t length = valid_character(text, at, broken);
        if (length > 0)
            result.append(text, at, length);
        else
            append_utf8(result, replacement);
        at += length > 0 ? length : broken;
    }
    return result;
}

bool is_whitespace(char32_t value) {
    if (value < 0x80) return value == ' ' || (value >= '\t' && value <= '\r');
    return value == 0x85 || value == 0xA0 || value == 0x1680 || (value >= 0x2000 && value <= 0x200A) ||
           value == 0x2028 || value == 0x2029 || value == 0x202F || value == 0x205F || value == 0x3000;
}

bool is_numeric(char32_t value) {
    if (value < 0x80) return value >= '0' && value <= '9';
    const int kind = category(value);
    return kind == UTF8PROC_CATEGORY_ND || kind == UTF8PROC_CATEGORY_NL || kind == UTF8PROC_CATEGORY_NO;
}

bool is_punctuation(char32_t value) {
    if (value < 0x80)
        return (value >= '!' && value <= '/') || (value >= ':' && value <= '@') ||
               (value >= '[' && value <= '`') || (value >= '{' && value <= '~');
    // Two that have changed their category since the library's tables were made.
    if (value == 0x166D || value == 0x111C9) return true;
    const int kind = category(value);
    return kind >= UTF8PROC_CATEGORY_PC && kind <= UTF8PROC_CATEGORY_PO && !is_later_category(value);
}

bool is_mark(char32_t value) {
    if (value == 0x1CF2 || value == 0x1CF3) return true;
    const int kind = category(value);
    return kind >= UTF8PROC_CATEGORY_MN && kind <= UTF8PROC_CATEGORY_ME && !is_later_mark(value);
}

bool is_nonspacing_mark(char32_t value) {
    return value == 0x1734 || (category(value) == UTF8PROC_CATEGORY_MN && !is_later_category(value));
}

bool is_control(char32_t value) {
    const int kind = category(value);
    return kind == UTF8PROC_CATEGORY_CC || kind == UTF8PROC_CATEGORY_CO ||
           (kind == UTF8PROC_CATEGORY_CF && !is_later_category(value));
}

std::u32string lower_case(char32_t value) {
    if (value == 0x130) return U"i\u0307";
    return {static_cast<char32_t>(utf8proc_tolower(static_cast<utf8proc_int32_t>(value)))};
}

std::u32string upper_case(char32_t value) {
    if (value == 0xDF) return U"SS";
    return {static_cast<char32_t>(utf8proc_toupper(static_cast<utf8proc_int32_t>(value)))};
}

} // namespace vitrine::tokenizer
