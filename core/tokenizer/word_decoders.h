#pragma once
#include "core/tokenizer/decoder.h"

namespace vitrine::tokenizer {

/// Tokens are words, apart from those with the "prefix", which continue one; with "cleanup" spaces before
/// punctuation and English contractions go.
Result<std::unique_ptr<Decoder>> make_word_piece_decoder(const Component& component);

/// BPEDecoder: "suffix" becomes a space, at the end nothing.
Result<std::unique_ptr<Decoder>> make_suffix_decoder(const Component& component);

} // namespace vitrine::tokenizer
