#pragma once
#include <memory>

#include "core/tokenizer/model.h"

namespace vitrine::tokenizer {

/// The longest tokens from left to right; a word that they do not fill, or that is too long, is one unknown
/// token.
Result<std::unique_ptr<Model>> read_word_piece(const Component& component);

/// From a vocabulary, with "##" before tokens within a word and words of up to 100 characters, as BERT has
/// it.
std::unique_ptr<Model> make_word_piece(Vocabulary vocabulary, std::string unknown);

/// A token for each word.
Result<std::unique_ptr<Model>> read_word_level(const Component& component);

} // namespace vitrine::tokenizer
