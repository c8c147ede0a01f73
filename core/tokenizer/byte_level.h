#pragma once
#include <array>
#include <optional>
#include <string>
#include <string_view>

#include "core/tokenizer/aligned_text.h"

namespace vitrine::tokenizer {

/// The printable character that stands for each byte in GPT-2's vocabulary: itself for visible Latin-1
/// characters, U+0100 and on for the others ("Ġ" is a space, "Ċ" a line feed).
const std::array<char32_t, 256>& byte_characters();

/// The byte that a character stands for, if it stands for one.
std::optional<unsigned char> byte_of(char32_t character);

/// "Ġthe" → " the"; nothing if a character stands for no byte.
std::optional<std::string> bytes_spelled(std::string_view token);

/// Writes every byte of the text as its character.
void spell_bytes(AlignedText& text);

} // namespace vitrine::tokenizer
