#pragma once
#include "core/tokenizer/post_processor.h"

namespace vitrine::tokenizer {

/// Puts the special tokens of the template "single" around the text, say a BOS before it.
Result<std::unique_ptr<PostProcessor>> make_template_processor(const Component& component);

/// Puts the token "cls" before the text and "sep" behind it: BertProcessing, and RobertaProcessing, which
/// trims spans before that ("trim_offsets").
Result<std::unique_ptr<PostProcessor>> make_pair_processor(const Component& component);

/// The ids before and behind every text.
std::unique_ptr<PostProcessor> make_surrounding(std::vector<std::int32_t> before,
                                                std::vector<std::int32_t> after);

} // namespace vitrine::tokenizer
