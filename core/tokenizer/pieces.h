#pragma once
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace vitrine::tokenizer {

/// What a piece of a vocabulary is for; the numbers are those of sentencepiece and of GGUF.
enum class PieceKind : std::int8_t {
    normal = 1,
    unknown = 2,      ///< stands for what has no piece
    control = 3,      ///< never comes from text
    user_defined = 4, ///< always one token where it occurs
    unused = 5,       ///< never a token
    byte = 6,         ///< "<0x0A>"
};

/// An entry of a vocabulary that has scores; its id is its place.
struct Piece {
    std::string text;
    float score = 0; ///< log probability, or minus the rank of a merge
    PieceKind kind = PieceKind::normal;
};

/// "<0x0A>" for 10.
std::string byte_piece(unsigned char byte);

} // namespace vitrine::tokenizer
