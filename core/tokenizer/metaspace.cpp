#include "core/tokenizer/metaspace.h"

#include <utility>

#include <fmt/format.h>

#include "core/tokenizer/split.h"
#include "core/tokenizer/unicode.h"

namespace vitrine::tokenizer {

namespace {

class Metaspace final : public PreTokenizer {
public:
    Metaspace(std::string mark, PrependScheme scheme, bool split)
        : mark_{std::move(mark), std::nullopt}, scheme_(scheme), split_(split) {}

    Status apply(Words& words) const override {
        mark_spaces(words);
        if (!split_) return {};
        std::vector<Range> parts;
        for (const Range& word : words.words) {
            const std::string_view text = words.text.part(word);
            VITRINE_ASSIGN(const auto matches, find_all(mark_, text));
            split_at(text, matches, SplitBehaviour::merged_with_next, false, word.begin, parts);
        }
        words.words = std::move(parts);
        return {};
    }

private:
    void mark_spaces(Words& words) const {
        const std::string& text = words.text.text();
        Rewriter out(words.text);
        for (Range& word : words.words) {
            const std::size_t begin = out.size();
            const bool marked = text[word.begin] == ' ' || words.text.part(word).starts_with(mark_.text);
            const bool wanted = scheme_ == PrependScheme::always ||
                                (scheme_ == PrependScheme::first && out.span_at(word.begin).start == 0);
            if (wanted && !marked) out.put(mark_.text, out.span_at(word.begin));
            for (std::size_t at = word.begin; at < word.end;) {
                const std::size_t bytes = character_bytes(text[at]);
                if (text[at] == ' ')
                    out.put(mark_.text, out.span_at(at));
                else
                    out.keep({at, at + bytes});
                at += bytes;
            }
            word = {begin, out.size()};
        }
        words.text = std::move(out).finish();
    }

    Pattern mark_;
    PrependScheme scheme_;
    bool split_;
};

} // namespace

Result<PrependScheme> read_prepend_scheme(const Component& component) {
    VITRINE_ASSIGN(const bool prefix, component.flag("add_prefix_space", true));
    VITRINE_ASSIGN(const std::string scheme, component.text("prepend_scheme", prefix ? "always" : "never"));
    if (scheme == "first") return PrependScheme::first;
    if (scheme == "always") return PrependScheme::always;
    if (scheme == "never") return PrependScheme::never;
    return fail(Code::malformed, fmt::format("{}: \"prepend_scheme\" has the unknown value \"{}\".",
                                             component.where(), scheme));
}

Result<std::unique_ptr<PreTokenizer>> make_metaspace(const Component& component) {
    VITRINE_ASSIGN(const char32_t mark, component.character("replacement"));
    VITRINE_ASSIGN(const PrependScheme scheme, read_prepend_scheme(component));
    VITRINE_ASSIGN(const bool split, component.flag("split", true));
    std::string text;
    append_utf8(text, mark);
    return std::make_unique<Metaspace>(std::move(text), scheme, split);
}

} // namespace vitrine::tokenizer
