#pragma once
#include <string_view>
#include <vector>

#include "core/tokenizer/post_processor.h"

namespace vitrine::tokenizer {

/// Takes leading and trailing spaces of each token out of its span. With `prefix_space` one space at the
/// start of the text counts as added by the tokenizer, and the span stays.
void trim_offsets(std::vector<Item>& items, std::string_view text, bool prefix_space);

} // namespace vitrine::tokenizer
