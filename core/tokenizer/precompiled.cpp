#include "core/tokenizer/precompiled.h"

#include <algorithm>
#include <array>
#include <utility>

#include <fmt/format.h>

#include <utf8proc.h>

#include "core/tokenizer/char_map.h"
#include "core/tokenizer/unicode.h"

namespace vitrine::tokenizer {

namespace {

constexpr std::size_t longest_grapheme = 5; // bytes, of those that are looked up as a whole

/// A character of the new text, and how many characters it adds: 0 if it takes the place of an old one, 1 if
/// it is inserted, -n if it takes the place of n + 1.
struct Change {
    char32_t value = 0;
    int adds = 0;
};

std::size_t grapheme_end(std::string_view text, std::size_t at) {
    CodePoint left = decode_at(text, at);
    utf8proc_int32_t state = 0;
    for (at += left.bytes; at < text.size();) {
        const CodePoint right = decode_at(text, at);
        if (utf8proc_grapheme_break_stateful(static_cast<utf8proc_int32_t>(left.value),
                                             static_cast<utf8proc_int32_t>(right.value), &state))
            break;
        left = right;
        at += right.bytes;
    }
    return at;
}

int count_characters(std::string_view text) {
    return static_cast<int>(
        std::count_if(text.begin(), text.end(), [](char byte) { return !is_continuation(byte); }));
}

class Precompiled final : public Normalizer {
public:
    explicit Precompiled(CharMap map) : map_(std::move(map)) {
        for (std::size_t c = 0; c < 128; ++c) {
            const char character = static_cast<char>(c);
            ascii_has_rule_[c] = map_.shortest({&character, 1}).has_value();
        }
    }

    Status apply(AlignedText& text) const override {
        const std::string_view all = text.text();
        std::vector<Change> changes;
        changes.reserve(all.size());
        bool changed = false;
        for (std::size_t at = 0; at < all.size();) {
            if (is_plain(all, at)) {
                changes.push_back({static_cast<char32_t>(all[at++]), 0});
                continue;
            }
            const std::size_t end = grapheme_end(all, at);
            const std::string_view grapheme = all.substr(at, end - at);
            at = end;
            if (grapheme.size() <= longest_grapheme && replace(grapheme, changes)) {
                changed = true;
                continue;
            }
            for (std::size_t i = 0; i < grapheme.size();) {
                const CodePoint c = decode_at(grapheme, i);
                if (replace(grapheme.substr(i, c.bytes), changes))
                    changed = true;
                else
                    changes.push_back({c.value, 0});
                i += c.bytes;
            }
        }
        if (changed) rewrite(text, changes);
        return {};
    }

private:
    /// An ASCII character that is a grapheme by itself and has no rule.
    bool is_plain(std::string_view text, std::size_t at) const {
        const auto c = static_cast<unsigned char>(text[at]);
        return c < 0x80 && c != '\r' && !ascii_has_rule_[c] &&
               (at + 1 == text.size() || static_cast<unsigned char>(text[at + 1]) < 0x80);
    }

    bool replace(std::string_view old, std::vector<Change>& changes) const {
        const auto text = map_.shortest(old);
        if (!text) return false;
        for (std::size_t at = 0; at < text->size();) {
            const CodePoint c = decode_at(*text, at);
            changes.push_back({c.value, 0});
            at += c.bytes;
        }
        const int more = count_characters(*text) - count_characters(old);
        for (int i = 0; i < more; ++i)
            changes[changes.size() - 1 - static_cast<std::size_t>(i)].adds = 1;
        // What vanishes counts with the character before it. At the start of the text there is none, and all
        // spans that follow are one character off: so they are in the library.
        if (more < 0 && !changes.empty()) changes.back().adds += more;
        return true;
    }

    static void rewrite(AlignedText& text, const std::vector<Change>& changes) {
        const std::string& old = text.text();
        Rewriter out(text);
        std::size_t at = 0; // the next old character
        for (const Change& change : changes) {
            out.put(change.value,
                    change.adds > 0 || at >= old.size() ? out.span_before(at) : out.span_at(at));
            for (int taken = change.adds; taken <= 0 && at < old.size(); ++taken)
                at += character_bytes(old[at]);
        }
        text = std::move(out).finish();
    }

    CharMap map_;
    std::array<bool, 128> ascii_has_rule_{};
};

Result<std::string> from_base64(std::string_view text, const std::string& where) {
    std::string bytes;
    std::uint32_t bits = 0;
    int count = 0;
    while (text.ends_with('='))
        text.remove_suffix(1);
    for (const char c : text) {
        std::uint32_t six = 0;
        if (c >= 'A' && c <= 'Z')
            six = static_cast<std::uint32_t>(c - 'A');
        else if (c >= 'a' && c <= 'z')
            six = static_cast<std::uint32_t>(c - 'a') + 26;
        else if (c >= '0' && c <= '9')
            six = static_cast<std::uint32_t>(c - '0') + 52;
        else if (c == '+' || c == '/')
            six = c == '+' ? 62 : 63;
        else
            return fail(Code::malformed, fmt::format("{}: \"precompiled_charsmap\" is not base64.", where));
        bits = bits << 6 | six;
        count += 6;
        if (count < 8) continue;
        count -= 8;
        bytes += static_cast<char>(bits >> count & 0xFFU);
    }
    return bytes;
}

} // namespace

Result<std::unique_ptr<Normalizer>> make_precompiled(const Component& component) {
    VITRINE_ASSIGN(const std::string text, component.text("precompiled_charsmap"));
    VITRINE_ASSIGN(const std::string bytes, from_base64(text, component.where()));
    VITRINE_ASSIGN(CharMap map, CharMap::read(bytes, component.where()));
    return std::make_unique<Precompiled>(std::move(map));
}

} // namespace vitrine::tokenizer
