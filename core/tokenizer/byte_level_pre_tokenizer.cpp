#include "core/tokenizer/byte_level_pre_tokenizer.h"

#include <optional>
#include <utility>

#include "core/tokenizer/byte_level.h"
#include "core/tokenizer/split.h"
#include "core/tokenizer/unicode.h"

namespace vitrine::tokenizer {

namespace {

constexpr std::string_view gpt2_pattern =
    R"('s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+)";

class ByteLevelPreTokenizer final : public PreTokenizer {
public:
    ByteLevelPreTokenizer(bool prefix_space, std::optional<Regex> regex)
        : prefix_space_(prefix_space), pattern_{std::string(gpt2_pattern), std::move(regex)} {}

    Status apply(Words& words) const override {
        if (prefix_space_) begin_with_spaces(words);
        if (pattern_.regex) {
            std::vector<Range> parts;
            for (const Range& word : words.words) {
                const std::string_view text = words.text.part(word);
                VITRINE_ASSIGN(const auto matches, find_all(pattern_, text));
                split_at(text, matches, SplitBehaviour::isolated, false, word.begin, parts);
            }
            words.words = std::move(parts);
        }
        if (spells_) spell(words);
        return {};
    }

    bool leave_bytes() override {
        spells_ = false;
        return true;
    }

private:
    static void begin_with_spaces(Words& words) {
        Rewriter out(words.text);
        for (Range& word : words.words) {
            const std::size_t begin = out.size();
            if (words.text.part(word).front() != ' ') out.put(" ", out.span_at(word.begin));
            out.keep(word);
            word = {begin, out.size()};
        }
        words.text = std::move(out).finish();
    }

    static void spell(Words& words) {
        const std::string& text = words.text.text();
        Rewriter out(words.text);
        for (Range& word : words.words) {
            const std::size_t begin = out.size();
            for (std::size_t at = word.begin; at < word.end;) {
                const Span span = out.span_at(at);
                const std::size_t next = at + character_bytes(text[at]);
                for (; at < next; ++at)
                    out.put(byte_characters()[static_cast<unsigned char>(text[at])], span);
            }
            word = {begin, out.size()};
        }
        words.text = std::move(out).finish();
    }

    bool prefix_space_;
    Pattern pattern_;
    bool spells_ = true;
};

} // namespace

Result<std::unique_ptr<PreTokenizer>> make_byte_level_pre_tokenizer(const Component& component) {
    VITRINE_ASSIGN(const bool prefix_space, component.flag("add_prefix_space", true));
    VITRINE_ASSIGN(const bool use_regex, component.flag("use_regex", true));
    std::optional<Regex> regex;
    if (use_regex) {
        VITRINE_ASSIGN(regex, Regex::compile(gpt2_pattern, component.where()));
    }
    return std::make_unique<ByteLevelPreTokenizer>(prefix_space, std::move(regex));
}

} // namespace vitrine::tokenizer
