#pragma once
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/tokenizer/regex.h"

namespace vitrine::tokenizer {

/// A part of the text that the user gave, in bytes.
struct Span {
    std::uint32_t start = 0;
    std::uint32_t end = 0;
    bool operator==(const Span&) const = default;
};

/// A text on its way through normalizers and pre-tokenizers that still knows where each byte came from. As in
/// the `tokenizers` library every byte of a character carries the span of the whole original character.
class AlignedText {
public:
    AlignedText() = default;

    /// An unchanged part of the user's text that begins at byte `shift` of it.
    AlignedText(std::string_view text, std::size_t shift)
        : text_(text), shift_(static_cast<std::uint32_t>(shift)) {}

    const std::string& text() const { return text_; }
    std::string_view part(Range range) const {
        return std::string_view(text_).substr(range.begin, range.end - range.begin);
    }

    /// Where in the user's text the bytes [begin, end) came from; begin < end.
    Span span(Range range) const;

    /// A part that begins and ends between characters.
    AlignedText slice(Range range) const;

private:
    friend class Rewriter;

    std::string text_;
    std::vector<Span> spans_; // one a byte; empty while the text is unchanged
    std::uint32_t shift_ = 0;
};

/// Builds a changed text from left to right out of kept parts of an old one and new characters.
class Rewriter {
public:
    explicit Rewriter(const AlignedText& old);

    void keep(Range range);                     ///< a part of the old text, with its spans
    void put(std::string_view text, Span span); ///< new bytes that came from `span`
    void put(char32_t value, Span span);

    /// Span of the old character that begins at byte `at`.
    Span span_at(std::size_t at) const;

    /// Span of the old character before byte `at`; an empty one at the start of the text.
    Span span_before(std::size_t at) const;

    AlignedText finish() &&;

    std::size_t size() const { return new_.text_.size(); }

private:
    const AlignedText& old_;
    AlignedText new_;
};

} // namespace vitrine::tokenizer
