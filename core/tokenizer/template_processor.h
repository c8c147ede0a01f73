#pragma once
#include "core/tokenizer/post_processor.h"

namespace vitrine::tokenizer {

/// Puts the special tokens of the template "single" around the text, say a BOS before it.
Result<std::unique_ptr<PostProcessor>> make_template_processor(const Component& component);

} // namespace vitrine::tokenizer
