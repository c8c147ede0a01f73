#pragma once
#include "core/tokenizer/pre_tokenizer.h"

namespace vitrine::tokenizer {

/// GPT-2's splitting into words (unless "use_regex" is false), a space before each word of the input that has
/// none (if "add_prefix_space"), and every byte spelled as a character.
Result<std::unique_ptr<PreTokenizer>> make_byte_level_pre_tokenizer(const Component& component);

} // namespace vitrine::tokenizer
