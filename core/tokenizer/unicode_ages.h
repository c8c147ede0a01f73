#pragma once

namespace vitrine::tokenizer {

/// The `tokenizers` library takes categories from tables of an older Unicode than libutf8proc's. True for a
/// mark without width, a punctuation or a format character that those tables lack.
bool is_later_category(char32_t value);

/// The same for the younger table that its StripAccents uses: a combining mark that is not in it.
bool is_later_mark(char32_t value);

} // namespace vitrine::tokenizer
