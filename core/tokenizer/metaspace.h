#pragma once
#include "core/tokenizer/pre_tokenizer.h"

namespace vitrine::tokenizer {

/// Where a Metaspace puts its mark although the text has no space there.
enum class PrependScheme { first, always, never };

/// "prepend_scheme", or what the older "add_prefix_space" means; always by default.
Result<PrependScheme> read_prepend_scheme(const Component& component);

/// Writes spaces as a mark ("▁"), puts one before the text, and begins a word at each ("split").
Result<std::unique_ptr<PreTokenizer>> make_metaspace(const Component& component);

} // namespace vitrine::tokenizer
