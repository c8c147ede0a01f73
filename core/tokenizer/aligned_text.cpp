#include "core/tokenizer/aligned_text.h"

#include <utility>

#include "core/tokenizer/unicode.h"

namespace vitrine::tokenizer {

Span AlignedText::span(Range range) const {
    if (!spans_.empty()) return {spans_[range.begin].start, spans_[range.end - 1].end};
    while (range.begin > 0 && is_continuation(text_[range.begin]))
        --range.begin;
    while (range.end < text_.size() && is_continuation(text_[range.end]))
        ++range.end;
    return {shift_ + static_cast<std::uint32_t>(range.begin), shift_ + static_cast<std::uint32_t>(range.end)};
}

AlignedText AlignedText::slice(Range range) const {
    AlignedText part(this->part(range), shift_ + range.begin);
    if (!spans_.empty())
        part.spans_.assign(spans_.begin() + static_cast<std::ptrdiff_t>(range.begin),
                           spans_.begin() + static_cast<std::ptrdiff_t>(range.end));
    return part;
}

Rewriter::Rewriter(const AlignedText& old) : old_(old) {
    new_.shift_ = old.shift_;
    new_.text_.reserve(old.text_.size());
    new_.spans_.reserve(old.text_.size());
}

void Rewriter::keep(Range range) {
    new_.text_.append(old_.text_, range.begin, range.end - range.begin);
    if (!old_.spans_.empty()) {
        new_.spans_.insert(new_.spans_.end(), old_.spans_.begin() + static_cast<std::ptrdiff_t>(range.begin),
                           old_.spans_.begin() + static_cast<std::ptrdiff_t>(range.end));
        return;
    }
    for (std::size_t at = range.begin; at < range.end;) {
        const std::size_t bytes = character_bytes(old_.text_[at]);
        new_.spans_.insert(new_.spans_.end(), bytes, old_.span({at, at + bytes}));
        at += bytes;
    }
}

void Rewriter::put(std::string_view text, Span span) {
    new_.text_ += text;
    new_.spans_.insert(new_.spans_.end(), text.size(), span);
}

void Rewriter::put(char32_t value, Span span) {
    append_utf8(new_.text_, value);
    new_.spans_.resize(new_.text_.size(), span);
}

Span Rewriter::span_at(std::size_t at) const { return old_.span({at, at + 1}); }

Span Rewriter::span_before(std::size_t at) const {
    return at > 0 ? old_.span({at - 1, at}) : Span{old_.shift_, old_.shift_};
}

AlignedText Rewriter::finish() && { return std::move(new_); }

} // namespace vitrine::tokenizer
