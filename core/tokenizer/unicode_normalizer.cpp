#include "core/tokenizer/unicode_normalizer.h"

#include <algorithm>
#include <array>
#include <utility>
#include <vector>

#include <utf8proc.h>

#include "core/tokenizer/unicode.h"

namespace vitrine::tokenizer {

namespace {

/// A character of the result and how many old characters it takes the place of: 1 for an unchanged one, 0 for
/// a further part of a decomposed one, more for a composed one.
struct Piece {
    char32_t value = 0;
    int combining_class = 0;
    int replaces = 1;
};

int combining_class(char32_t value) {
    return utf8proc_get_property(static_cast<utf8proc_int32_t>(value))->combining_class;
}

/// The canonical composition of two characters, or 0.
char32_t compose(char32_t first, char32_t second) {
    std::array<utf8proc_int32_t, 2> pair{static_cast<utf8proc_int32_t>(first),
                                         static_cast<utf8proc_int32_t>(second)};
    const auto options = static_cast<utf8proc_option_t>(UTF8PROC_COMPOSE | UTF8PROC_STABLE);
    const auto length = utf8proc_normalize_utf32(pair.data(), 2, options);
    return length == 1 ? static_cast<char32_t>(pair[0]) : 0;
}

/// Hangul's vowels and final consonants compose with what stands before them.
bool is_hangul_tail(char32_t value) { return value >= 0x1161 && value <= 0x11FF; }

bool is_hangul_syllable(char32_t value) { return value >= 0xAC00 && value <= 0xD7A3; }

class UnicodeNormalizer final : public Normalizer {
public:
    explicit UnicodeNormalizer(UnicodeForm form)
        : composes_(form == UnicodeForm::nfc || form == UnicodeForm::nfkc),
          compatible_(form == UnicodeForm::nfkc || form == UnicodeForm::nfkd) {}

    Status apply(AlignedText& text) const override {
        const std::string& all = text.text();
        std::size_t at = next_unstable(all, 0);
        if (at == all.size()) return {};
        Rewriter out(text);
        std::size_t done = 0;
        while (at < all.size()) {
            // What comes before may compose with what changes.
            Range window{at > done ? character_before(all, at) : at, at};
            while (window.end < all.size()) {
                const CodePoint c = decode_at(all, window.end);
                if (is_stable(c.value)) break;
                window.end += c.bytes;
            }
            out.keep({done, window.begin});
            rewrite(all, window, out);
            done = window.end;
            at = next_unstable(all, done);
        }
        out.keep({done, all.size()});
        text = std::move(out).finish();
        return {};
    }

private:
    /// True for a character that stays as it is and neither reorders nor composes with what precedes it.
    bool is_stable(char32_t value) const {
        if (value < 0x80) return true;
        const auto* const property = utf8proc_get_property(static_cast<utf8proc_int32_t>(value));
        if (property->combining_class != 0) return false;
        constexpr auto none = static_cast<utf8proc_uint16_t>(~0U);
        const bool decomposes = property->decomp_seqindex != none;
        if (!composes_) return !decomposes && !is_hangul_syllable(value);
        if (value < 0x300 && !compatible_) return true;
        const bool may_follow = property->comb_index != none && property->comb_index >= 0x8000;
        return !decomposes && !may_follow && !is_hangul_tail(value);
    }

    std::size_t next_unstable(const std::string& text, std::size_t at) const {
        while (at < text.size()) {
            const CodePoint c = decode_at(text, at);
            if (!is_stable(c.value)) break;
            at += c.bytes;
        }
        return at;
    }

    std::vector<Piece> decompose(const std::string& text, Range window) const {
        auto options = static_cast<utf8proc_option_t>(UTF8PROC_DECOMPOSE | UTF8PROC_STABLE);
        if (compatible_) options = static_cast<utf8proc_option_t>(options | UTF8PROC_COMPAT);
        std::vector<Piece> pieces;
        std::array<utf8proc_int32_t, 64> parts{}; // the longest decomposition has 18
        for (std::size_t at = window.begin; at < window.end;) {
            const CodePoint c = decode_at(text, at);
            int boundary = 0;
            auto count =
                utf8proc_decompose_char(static_cast<utf8proc_int32_t>(c.value), parts.data(),
                                        static_cast<utf8proc_ssize_t>(parts.size()), options, &boundary);
            if (count <= 0 || count > static_cast<utf8proc_ssize_t>(parts.size())) {
                parts[0] = static_cast<utf8proc_int32_t>(c.value);
                count = 1;
            }
            for (utf8proc_ssize_t i = 0; i < count; ++i) {
                const auto value = static_cast<char32_t>(parts[static_cast<std::size_t>(i)]);
                pieces.push_back({value, combining_class(value), i == 0 ? 1 : 0});
            }
            at += c.bytes;
        }
        // Canonical order: marks between two starters are sorted by class.
        for (auto begin = pieces.begin(); begin != pieces.end();) {
            const auto end = std::find_if(std::next(begin), pieces.end(),
                                          [](const Piece& piece) { return piece.combining_class == 0; });
            std::stable_sort(begin, end, [](const Piece& a, const Piece& b) {
                return a.combining_class < b.combining_class;
            });
            begin = end;
        }
        return pieces;
    }

    static std::vector<Piece> recompose(const std::vector<Piece>& pieces) {
        std::vector<Piece> result;
        std::ptrdiff_t starter = -1; // where the character is that others may compose with
        int last_class = -1;         // of what was kept since the starter; -1: nothing
        for (const Piece& piece : pieces) {
            const bool blocked = last_class >= piece.combining_class;
            if (starter >= 0 && !blocked) {
                Piece& base = result[static_cast<std::size_t>(starter)];
                if (const char32_t composed = compose(base.value, piece.value); composed != 0) {
                    base.value = composed;
                    base.replaces += piece.replaces;
                    continue;
                }
            }
            if (piece.combining_class == 0) {
                starter = static_cast<std::ptrdiff_t>(result.size());
                last_class = -1;
            } else {
                last_class = piece.combining_class;
            }
            result.push_back(piece);
        }
        return result;
    }

    void rewrite(const std::string& text, Range window, Rewriter& out) const {
        auto pieces = decompose(text, window);
        if (composes_) pieces = recompose(pieces);
        std::size_t at = window.begin; // the next old character
        for (const Piece& piece : pieces) {
            out.put(piece.value,
                    piece.replaces > 0 && at < window.end ? out.span_at(at) : out.span_before(at));
            for (int i = 0; i < piece.replaces && at < window.end; ++i)
                at += character_bytes(text[at]);
        }
    }

    bool composes_;
    bool compatible_;
};

} // namespace

std::unique_ptr<Normalizer> make_unicode_normalizer(UnicodeForm form) {
    return std::make_unique<UnicodeNormalizer>(form);
}

} // namespace vitrine::tokenizer
