#pragma once
#include <string_view>
#include <vector>

#include "core/base/result.h"

namespace vitrine::tokenizer {

/// How a byte-level BPE of a GGUF file splits a text.
struct GgufPreTokenizer {
    std::vector<std::string_view> patterns; ///< one after another, every match a word
    bool ignore_merges = false;             ///< a word that is a token is that token
    bool add_bos = false;                   ///< unless the file says otherwise
};

/// By the name under "tokenizer.ggml.pre" ("" counts as "default"); unsupported: a name that Vitrine does not
/// know.
Result<GgufPreTokenizer> gguf_pre_tokenizer(std::string_view name);

} // namespace vitrine::tokenizer
