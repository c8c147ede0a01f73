#pragma once
#include <optional>

#include "core/tokenizer/pre_tokenizer.h"

namespace vitrine::tokenizer {

/// The pre-tokenizers that only cut: Split, Digits, Punctuation, Whitespace, WhitespaceSplit,
/// CharDelimiterSplit, BertPreTokenizer, FixedLength. Nothing if the component is of another type.
std::optional<Result<std::unique_ptr<PreTokenizer>>> make_splitter(const Component& component);

} // namespace vitrine::tokenizer
