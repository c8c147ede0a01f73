#pragma once
#include "core/tokenizer/normalizer.h"

namespace vitrine::tokenizer {

/// sentencepiece's rules ("precompiled_charsmap", base64) as the `tokenizers` library applies them: to
/// graphemes of less than six bytes as a whole, else to characters, and by the shortest rule that fits.
Result<std::unique_ptr<Normalizer>> make_precompiled(const Component& component);

} // namespace vitrine::tokenizer
