#pragma once
#include <memory>
#include <string>
#include <vector>

#include "core/tokenizer/model.h"
#include "core/tokenizer/pieces.h"

namespace vitrine::tokenizer {

/// What decides which pair is merged first.
enum class MergeOrder {
    by_score, ///< the pair whose piece has the highest score, the leftmost of equals
    by_id,    ///< the lowest id
};

/// BPE without a list of merges, as sentencepiece and GGUF's "llama" have it: two neighbours merge if
/// together they are a piece. User-defined pieces are never taken apart or merged; what becomes an unused
/// piece falls apart again. An unknown character becomes its byte pieces if there are all, else a run of
/// unknown characters is one unknown piece. malformed: no unknown piece although bytes are missing.
Result<std::unique_ptr<Model>> make_scored_bpe(const std::vector<Piece>& pieces, bool byte_fallback,
                                               MergeOrder order, const std::string& where);

} // namespace vitrine::tokenizer
