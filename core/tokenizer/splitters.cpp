#include "core/tokenizer/splitters.h"

#include <utility>

#include <fmt/format.h>

#include "core/tokenizer/split.h"
#include "core/tokenizer/unicode.h"

namespace vitrine::tokenizer {

namespace {

using Made = Result<std::unique_ptr<PreTokenizer>>;

// As the `regex` crate understands \w: it has more than Oniguruma's.
constexpr std::string_view word_pattern =
    R"([\p{Alphabetic}\p{M}\p{Nd}\p{Pc}\p{Join_Control}]+|[^\p{Alphabetic}\p{M}\p{Nd}\p{Pc}\p{Join_Control}\s]+)";

class PatternSplitter final : public PreTokenizer {
public:
    PatternSplitter(Pattern pattern, SplitBehaviour behaviour, bool invert)
        : pattern_(std::move(pattern)), behaviour_(behaviour), invert_(invert) {}

    Status apply(Words& words) const override {
        std::vector<Range> parts;
        for (const Range& word : words.words) {
            const std::string_view text = words.text.part(word);
            VITRINE_ASSIGN(const auto matches, find_all(pattern_, text));
            split_at(text, matches, behaviour_, invert_, word.begin, parts);
        }
        words.words = std::move(parts);
        return {};
    }

private:
    Pattern pattern_;
    SplitBehaviour behaviour_;
    bool invert_;
};

class CharacterSplitter final : public PreTokenizer {
public:
    CharacterSplitter(bool (*fits)(char32_t), SplitBehaviour behaviour)
        : fits_(fits), behaviour_(behaviour) {}

    Status apply(Words& words) const override {
        std::vector<Range> parts;
        for (const Range& word : words.words) {
            const std::string_view text = words.text.part(word);
            split_at(text, find_characters(text, fits_), behaviour_, false, word.begin, parts);
        }
        words.words = std::move(parts);
        return {};
    }

private:
    bool (*fits_)(char32_t);
    SplitBehaviour behaviour_;
};

/// Words of a number of characters, the last may be shorter.
class FixedLength final : public PreTokenizer {
public:
    explicit FixedLength(std::uint32_t length) : length_(length) {}

    Status apply(Words& words) const override {
        std::vector<Range> parts;
        for (const Range& word : words.words) {
            for (std::size_t begin = word.begin; begin < word.end;) {
                std::size_t end = begin;
                for (std::uint32_t i = 0; i < length_ && end < word.end; ++i)
                    end += character_bytes(words.text.text()[end]);
                parts.push_back({begin, end});
                begin = end;
            }
        }
        words.words = std::move(parts);
        return {};
    }

private:
    std::uint32_t length_;
};

/// Words between spaces, and every punctuation character by itself.
class BertSplitter final : public PreTokenizer {
    Status apply(Words& words) const override {
        VITRINE_TRY(spaces_.apply(words));
        return punctuation_.apply(words);
    }

    CharacterSplitter spaces_{is_whitespace, SplitBehaviour::removed};
    CharacterSplitter punctuation_{is_punctuation, SplitBehaviour::isolated};
};

Made make_fixed_length(const Component& component) {
    VITRINE_ASSIGN(const std::uint32_t length, component.number("length", 5));
    if (length == 0)
        return fail(Code::malformed, fmt::format("{}: \"length\" must not be 0.", component.where()));
    return std::make_unique<FixedLength>(length);
}

Made make_split(const Component& component) {
    VITRINE_ASSIGN(Pattern pattern, read_pattern(component, "pattern"));
    VITRINE_ASSIGN(const auto behaviour, read_behaviour(component, "behavior", SplitBehaviour::isolated));
    VITRINE_ASSIGN(const bool invert, component.flag("invert", false));
    return std::make_unique<PatternSplitter>(std::move(pattern), behaviour, invert);
}

Made make_digits(const Component& component) {
    VITRINE_ASSIGN(const bool individual, component.flag("individual_digits", false));
    return std::make_unique<CharacterSplitter>(is_numeric, individual ? SplitBehaviour::isolated
                                                                      : SplitBehaviour::contiguous);
}

Made make_punctuation(const Component& component) {
    VITRINE_ASSIGN(const auto behaviour, read_behaviour(component, "behavior", SplitBehaviour::isolated));
    return std::make_unique<CharacterSplitter>(is_punctuation, behaviour);
}

Made make_whitespace(const Component& component) {
    VITRINE_ASSIGN(Regex regex, Regex::compile(word_pattern, component.where()));
    return std::make_unique<PatternSplitter>(Pattern{std::string(word_pattern), std::move(regex)},
                                             SplitBehaviour::removed, true);
}

Made make_delimiter(const Component& component) {
    VITRINE_ASSIGN(const char32_t delimiter, component.character("delimiter"));
    std::string text;
    append_utf8(text, delimiter);
    return std::make_unique<PatternSplitter>(Pattern{std::move(text), std::nullopt}, SplitBehaviour::removed,
                                             false);
}

} // namespace

std::optional<Made> make_splitter(const Component& component) {
    const std::string type = component.type();
    if (type == "Split") return make_split(component);
    if (type == "Digits") return make_digits(component);
    if (type == "Punctuation") return make_punctuation(component);
    if (type == "Whitespace") return make_whitespace(component);
    if (type == "WhitespaceSplit")
        return std::make_unique<CharacterSplitter>(is_whitespace, SplitBehaviour::removed);
    if (type == "CharDelimiterSplit") return make_delimiter(component);
    if (type == "BertPreTokenizer") return std::make_unique<BertSplitter>();
    if (type == "FixedLength") return make_fixed_length(component);
    return std::nullopt;
}

} // namespace vitrine::tokenizer
