#pragma once
#include "core/tokenizer/decoder.h"

namespace vitrine::tokenizer {

/// "Ġthe" → " the"; broken UTF-8 becomes U+FFFD.
std::unique_ptr<Decoder> make_byte_level_decoder();

/// "<0xE2>" → the byte; a run of bytes that is not UTF-8 becomes one U+FFFD a byte.
std::unique_ptr<Decoder> make_byte_fallback_decoder();

} // namespace vitrine::tokenizer
