#pragma once
#include <optional>
#include <string>
#include <string_view>

#include "core/base/result.h"
#include "core/tokenizer/added_tokens.h"
#include "core/tokenizer/pipeline.h"
#include "core/tokenizer/scored_bpe.h"
#include "core/tokenizer/sentencepiece_file.h"

namespace vitrine::tokenizer {

/// The stages of a tokenizer whose vocabulary has scores: sentencepiece's .model, GGUF's "llama" and "t5".
/// Control pieces and `added` tokens are cut out of the text; each part between them is rewritten and cut by
/// itself. `before` and `after` are put around every text.
struct ScoredTokenizer {
    SentencePieceFile file;
    MergeOrder order = MergeOrder::by_score;
    std::vector<AddedToken> added;
    std::vector<std::int32_t> before;
    std::vector<std::int32_t> after;
};

/// unsupported: word and character models.
Result<Pipeline> make_scored_pipeline(ScoredTokenizer parts, const std::string& where);

} // namespace vitrine::tokenizer
