#pragma once
#include "core/tokenizer/normalizer.h"

namespace vitrine::tokenizer {

enum class UnicodeForm { nfc, nfd, nfkc, nfkd };

/// Unicode normalization (UAX #15). A composed character has the span of its first part, and the bytes of the
/// other parts belong to nothing; what one character decomposes into has its span.
std::unique_ptr<Normalizer> make_unicode_normalizer(UnicodeForm form);

} // namespace vitrine::tokenizer
