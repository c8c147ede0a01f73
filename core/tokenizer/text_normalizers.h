#pragma once
#include "core/tokenizer/normalizer.h"

namespace vitrine::tokenizer {

Result<std::unique_ptr<Normalizer>>
make_prepend(const Component& component); ///< "prepend" before a non-empty text
Result<std::unique_ptr<Normalizer>> make_replace(const Component& component); ///< "pattern" by "content"
Result<std::unique_ptr<Normalizer>>
make_strip(const Component& component); ///< spaces at "strip_left", "strip_right"
std::unique_ptr<Normalizer> make_lowercase();
std::unique_ptr<Normalizer> make_strip_accents(); ///< drops combining marks
std::unique_ptr<Normalizer>
make_nmt(); ///< sentencepiece's cleaning: control characters go, others become spaces
std::unique_ptr<Normalizer>
make_byte_level_normalizer(); ///< bytes as the printable characters of byte_level.h

} // namespace vitrine::tokenizer
