#pragma once
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/tokenizer/model.h"
#include "core/tokenizer/pieces.h"

namespace vitrine::tokenizer {

/// The most probable cut of a word into pieces (Viterbi; Kudo 2018, arXiv:1804.10959). A character that is no
/// piece costs 10 more than the least probable piece.
///
/// From the JSON object under "model": as in the `tokenizers` library, in double precision, unknown
/// characters joined to one token.
Result<std::unique_ptr<Model>> read_unigram(const Component& component);

/// As in sentencepiece, with its float32 sums. Without byte pieces unknown characters are joined to one
/// token.
Result<std::unique_ptr<Model>> make_unigram(std::vector<Piece> pieces, bool byte_fallback,
                                            const std::string& where);

} // namespace vitrine::tokenizer
