#pragma once
#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

#include "core/base/result.h"
#include "core/tokenizer/aligned_text.h"
#include "core/tokenizer/component.h"

namespace vitrine::tokenizer {

/// A token on its way through the post-processor.
struct Item {
    std::int32_t id = 0;
    Span span;
    std::string_view spelled; ///< as in the vocabulary; of an added token: the text that it matched
    bool inserted = false;    ///< put there by the post-processor: it stands for no text
};

/// Adds special tokens around the tokens of a text and trims spans. Every kind behaves as its namesake in the
/// `tokenizers` library.
class PostProcessor {
public:
    PostProcessor() = default;
    PostProcessor(const PostProcessor&) = delete;
    PostProcessor& operator=(const PostProcessor&) = delete;
    virtual ~PostProcessor() = default;

    /// `text` is the user's. Without `add_special` spans are trimmed, but nothing is inserted.
    virtual void process(std::vector<Item>& items, std::string_view text, bool add_special) const = 0;
};

/// From the JSON object under "post_processor"; unsupported: a type that Vitrine does not know.
Result<std::unique_ptr<PostProcessor>> make_post_processor(const Component& component);

} // namespace vitrine::tokenizer
