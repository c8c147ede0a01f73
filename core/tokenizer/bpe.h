#pragma once
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "core/tokenizer/model.h"

namespace vitrine::tokenizer {

/// Settings of a BPE model; names as in tokenizer.json.
struct BpeOptions {
    std::optional<std::string> unk_token;
    std::string continuing_subword_prefix; ///< before every character of a word but its first
    std::string end_of_word_suffix;        ///< after the last character of a word
    bool byte_fallback =
        false; ///< an unknown character becomes the tokens "<0xE2>" of its bytes, if there are all
    bool fuse_unk = false;      ///< neighbouring unknown characters become one token
    bool ignore_merges = false; ///< a word that is a token is that token, whatever the merges say
};

using MergeList = std::vector<std::pair<std::string, std::string>>;

/// malformed: a merge of tokens, or into a token, that the vocabulary does not have.
Result<std::unique_ptr<Model>> make_bpe(Vocabulary vocabulary, const MergeList& merges, BpeOptions options,
                                        const std::string& where);

/// From the JSON object under "model".
Result<std::unique_ptr<Model>> read_bpe(const Component& component);

} // namespace vitrine::tokenizer
