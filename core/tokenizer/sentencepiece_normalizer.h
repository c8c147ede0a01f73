#pragma once
#include <memory>
#include <string_view>
#include <vector>

#include "core/tokenizer/normalizer.h"
#include "core/tokenizer/sentencepiece_file.h"

namespace vitrine::tokenizer {

/// sentencepiece's rewriting of a text: by the longest rule at each place, but nothing within the
/// user-defined ones of the `pieces`. Every new character has the span from where its rule begins to where
/// the next rule with a result begins; the added space shares that of the first character.
std::unique_ptr<Normalizer> make_sentencepiece_normalizer(SentencePieceRules rules,
                                                          const std::vector<Piece>& pieces);

} // namespace vitrine::tokenizer
