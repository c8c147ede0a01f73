#include "core/tokenizer/text_normalizers.h"

#include <utility>

#include "core/tokenizer/byte_level.h"
#include "core/tokenizer/map_characters.h"
#include "core/tokenizer/split.h"
#include "core/tokenizer/unicode.h"

namespace vitrine::tokenizer {

namespace {

class Prepend final : public Normalizer {
public:
    explicit Prepend(std::string prefix) : prefix_(std::move(prefix)) {}

    Status apply(AlignedText& text) const override {
        if (text.text().empty()) return {};
        Rewriter out(text);
        out.put(prefix_, out.span_at(0));
        out.keep({0, text.text().size()});
        text = std::move(out).finish();
        return {};
    }

private:
    std::string prefix_;
};

class Replace final : public Normalizer {
public:
    Replace(Pattern pattern, std::string content)
        : pattern_(std::move(pattern)), content_(std::move(content)) {}

    Status apply(AlignedText& text) const override {
        VITRINE_ASSIGN(const auto matches, find_all(pattern_, text.text()));
        if (matches.empty()) return {};
        Rewriter out(text);
        std::size_t done = 0;
        for (const Range& match : matches) {
            out.keep({done, match.begin});
            out.put(content_,
                    out.span_before(match.end)); // the new text comes from the last replaced character
            done = match.end;
        }
        out.keep({done, text.text().size()});
        text = std::move(out).finish();
        return {};
    }

private:
    Pattern pattern_;
    std::string content_;
};

class Strip final : public Normalizer {
public:
    Strip(bool left, bool right) : left_(left), right_(right) {}

    Status apply(AlignedText& text) const override {
        const std::string& all = text.text();
        Range kept{0, all.size()};
        while (left_ && kept.begin < kept.end) {
            const CodePoint first = decode_at(all, kept.begin);
            if (!is_whitespace(first.value)) break;
            kept.begin += first.bytes;
        }
        while (right_ && kept.begin < kept.end) {
            const std::size_t last = character_before(all, kept.end);
            if (!is_whitespace(decode_at(all, last).value)) break;
            kept.end = last;
        }
        if (kept == Range{0, all.size()}) return {};
        Rewriter out(text);
        out.keep(kept);
        text = std::move(out).finish();
        return {};
    }

private:
    bool left_;
    bool right_;
};

class ByteLevelNormalizer final : public Normalizer {
    Status apply(AlignedText& text) const override {
        spell_bytes(text);
        return {};
    }
};

} // namespace

Result<std::unique_ptr<Normalizer>> make_prepend(const Component& component) {
    VITRINE_ASSIGN(std::string prefix, component.text("prepend"));
    return std::make_unique<Prepend>(std::move(prefix));
}

Result<std::unique_ptr<Normalizer>> make_replace(const Component& component) {
    VITRINE_ASSIGN(Pattern pattern, read_pattern(component, "pattern"));
    VITRINE_ASSIGN(std::string content, component.text("content"));
    return std::make_unique<Replace>(std::move(pattern), std::move(content));
}

Result<std::unique_ptr<Normalizer>> make_strip(const Component& component) {
    VITRINE_ASSIGN(const bool left, component.flag("strip_left"));
    VITRINE_ASSIGN(const bool right, component.flag("strip_right"));
    return std::make_unique<Strip>(left, right);
}

std::unique_ptr<Normalizer> make_lowercase() {
    return map_characters([](char32_t value, auto put) {
        for (const char32_t lower : lower_case(value))
            put(lower);
    });
}

std::unique_ptr<Normalizer> make_strip_accents() {
    return map_characters([](char32_t value, auto put) {
        if (!is_mark(value)) put(value);
    });
}

std::unique_ptr<Normalizer> make_nmt() {
    return map_characters([](char32_t value, auto put) {
        const bool space = value == 0x9 || value == 0xA || value == 0xC || value == 0xD || value == 0x1680 ||
                           (value >= 0x200B && value <= 0x200F) || value == 0x2028 || value == 0x2029 ||
                           value == 0x2581 || value == 0xFEFF || value == 0xFFFD;
        const bool gone = (value >= 0x1 && value <= 0x1F) || value == 0x7F || value == 0x8F || value == 0x9F;
        if (space)
            put(U' ');
        else if (!gone)
            put(value);
    });
}

std::unique_ptr<Normalizer> make_byte_level_normalizer() { return std::make_unique<ByteLevelNormalizer>(); }

} // namespace vitrine::tokenizer
