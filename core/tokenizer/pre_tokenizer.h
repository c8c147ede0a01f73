#pragma once
#include <memory>
#include <vector>

#include "core/base/result.h"
#include "core/tokenizer/aligned_text.h"
#include "core/tokenizer/component.h"

namespace vitrine::tokenizer {

/// A text cut into words, in order; what lies outside of all words was removed.
struct Words {
    AlignedText text;
    std::vector<Range> words;
};

/// Cuts words into smaller ones and may rewrite the text. Every kind behaves as its namesake in the
/// `tokenizers` library.
class PreTokenizer {
public:
    PreTokenizer() = default;
    PreTokenizer(const PreTokenizer&) = delete;
    PreTokenizer& operator=(const PreTokenizer&) = delete;
    virtual ~PreTokenizer() = default;

    virtual Status apply(Words& words) const = 0;

    /// If the last thing that happens is to spell bytes as characters: leave that out from now on and return
    /// true. The model then reads bytes.
    virtual bool leave_bytes() { return false; }
};

/// From the JSON object under "pre_tokenizer"; unsupported: a type that Vitrine does not know.
Result<std::unique_ptr<PreTokenizer>> make_pre_tokenizer(const Component& component);

} // namespace vitrine::tokenizer
