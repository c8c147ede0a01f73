#pragma once
#include "core/tokenizer/normalizer.h"

namespace vitrine::tokenizer {

/// BERT's cleaning: control characters go and spaces become " " ("clean_text"), Chinese characters get spaces
/// around them ("handle_chinese_chars"), accents go ("strip_accents", by default as "lowercase"), lower case.
Result<std::unique_ptr<Normalizer>> make_bert_normalizer(const Component& component);

} // namespace vitrine::tokenizer
