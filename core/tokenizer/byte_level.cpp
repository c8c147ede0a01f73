#include "core/tokenizer/byte_level.h"

#include <utility>

#include "core/tokenizer/unicode.h"

namespace vitrine::tokenizer {

namespace {

bool is_visible(unsigned byte) {
    return (byte >= '!' && byte <= '~') || (byte >= 0xA1 && byte <= 0xAC) || byte >= 0xAE;
}

std::array<char32_t, 256> make_characters() {
    std::array<char32_t, 256> characters{};
    char32_t next = 0x100;
    for (unsigned byte = 0; byte < 256; ++byte)
        characters[byte] = is_visible(byte) ? byte : next++;
    return characters;
}

} // namespace

const std::array<char32_t, 256>& byte_characters() {
    static const auto characters = make_characters();
    return characters;
}

std::optional<unsigned char> byte_of(char32_t character) {
    static const auto bytes = [] {
        std::array<int, 0x144> table{};
        table.fill(-1);
        for (unsigned byte = 0; byte < 256; ++byte)
            table[byte_characters()[byte]] = static_cast<int>(byte);
        return table;
    }();
    if (character >= bytes.size() || bytes[character] < 0) return std::nullopt;
    return static_cast<unsigned char>(bytes[character]);
}

std::optional<std::string> bytes_spelled(std::string_view token) {
    std::string bytes;
    for (std::size_t at = 0; at < token.size();) {
        const CodePoint c = decode_at(token, at);
        const auto byte = byte_of(c.value);
        if (!byte) return std::nullopt;
        bytes += static_cast<char>(*byte);
        at += c.bytes;
    }
    return bytes;
}

void spell_bytes(AlignedText& text) {
    const std::string& all = text.text();
    Rewriter out(text);
    for (std::size_t at = 0; at < all.size();) {
        const std::size_t bytes = character_bytes(all[at]);
        const Span span = out.span_at(at);
        for (std::size_t i = 0; i < bytes; ++i)
            out.put(byte_characters()[static_cast<unsigned char>(all[at + i])], span);
        at += bytes;
    }
    text = std::move(out).finish();
}

} // namespace vitrine::tokenizer
