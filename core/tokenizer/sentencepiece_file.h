#pragma once
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/result.h"
#include "core/tokenizer/char_map.h"
#include "core/tokenizer/pieces.h"

namespace vitrine::tokenizer {

/// How sentencepiece rewrites a text before it cuts it; names as in its NormalizerSpec.
struct SentencePieceRules {
    CharMap map;
    bool add_dummy_prefix = true;         ///< a space before the text
    bool prefix_only_at_start = false;    ///< not before parts that follow an added token
    bool remove_extra_whitespaces = true; ///< at both ends, and all but one in a run
    bool escape_whitespaces = true;       ///< " " → "▁"
    bool whitespace_as_suffix = false;    ///< the added space stands behind the text
};

/// What a sentencepiece .model holds.
struct SentencePieceFile {
    enum class Kind { unigram = 1, bpe = 2, word = 3, character = 4 };
    Kind kind = Kind::unigram;
    std::vector<Piece> pieces;
    SentencePieceRules rules;
    bool byte_fallback = false;
    std::optional<std::int32_t> bos; ///< if it is a control piece
    std::optional<std::int32_t> eos;
};

/// From the bytes of a .model; malformed if they are none.
Result<SentencePieceFile> read_sentencepiece(std::string_view bytes, const std::string& where);

} // namespace vitrine::tokenizer
