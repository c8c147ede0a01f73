#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "core/base/result.h"
#include "core/tokenizer/aligned_text.h"
#include "core/tokenizer/component.h"
#include "core/tokenizer/normalizer.h"
#include "core/tokenizer/vocabulary.h"

namespace vitrine::tokenizer {

/// A token that is looked for in the text before the model sees it; names as in tokenizer.json.
struct AddedToken {
    std::string content;
    std::int32_t id = 0;
    bool single_word = false; ///< only where no word character touches it
    bool lstrip = false;      ///< takes the spaces before it along
    bool rstrip = false;      ///< and those behind it
    bool normalized = true;   ///< looked for after normalization, in its normalized form
    bool special = false;
    std::string
        pattern; ///< what is looked for, and what a decoder sees: `content`, normalized if that is asked
};

/// A part of the text that is an added token, or one that is still to be tokenized.
struct Segment {
    AlignedText text;
    std::optional<std::int32_t> added; ///< id
};

/// Strings found by walking a tree of their bytes: at each place the longest.
class ByteTree {
public:
    void add(std::string_view text, std::size_t value);
    bool empty() const { return children_.empty(); }

    struct Found {
        Range range;
        std::size_t value = 0;
    };
    /// The leftmost occurrence at or after `from`, the longest there.
    std::optional<Found> find(std::string_view text, std::size_t from) const;

private:
    std::unordered_map<std::uint64_t, std::uint32_t> children_; // node and byte → node; the root is 0
    std::unordered_map<std::uint32_t, std::size_t> values_;     // node → value, if a string ends there
    std::uint32_t nodes_ = 1;
    bool first_bytes_[256] = {};
};

class AddedTokens {
public:
    /// Adds the tokens in order, as the `tokenizers` library does: one that the vocabulary has keeps that id,
    /// others get the next free one. `normalizer` may be null.
    static Result<AddedTokens> make(std::vector<AddedToken> tokens, const Vocabulary& vocabulary,
                                    const Normalizer* normalizer);

    /// Cuts the text into added tokens and normalized rest. Parts without any text are left out.
    Result<std::vector<Segment>> cut(std::string_view text, const Normalizer* normalizer) const;

    std::optional<std::int32_t> id_of(std::string_view content) const;
    const AddedToken* find(std::int32_t id) const; ///< nullptr if the id is no added token
    bool is_special(std::int32_t id) const;
    std::int32_t end_id() const { return end_id_; } ///< one more than the largest id, 0 without tokens

private:
    Status cut_out(AlignedText text, const ByteTree& tree, std::vector<Segment>& segments) const;

    std::vector<AddedToken> tokens_;
    std::unordered_map<std::int32_t, std::size_t> by_id_;
    std::unordered_map<std::string, std::int32_t> by_content_;
    ByteTree plain_;
    ByteTree normalized_;
    std::int32_t end_id_ = 0;
};

/// From the JSON list "added_tokens".
Result<std::vector<AddedToken>> read_added_tokens(const LargeJson& list, const std::string& where);

} // namespace vitrine::tokenizer
