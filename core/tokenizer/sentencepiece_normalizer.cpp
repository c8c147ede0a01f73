#include "core/tokenizer/sentencepiece_normalizer.h"

#include <utility>

#include "core/tokenizer/byte_trie.h"
#include "core/tokenizer/unicode.h"

namespace vitrine::tokenizer {

namespace {

constexpr std::string_view space_mark = "\xE2\x96\x81"; // ▁

class SentencePieceNormalizer final : public Normalizer {
public:
    SentencePieceNormalizer(SentencePieceRules rules, const std::vector<Piece>& pieces)
        : rules_(std::move(rules)) {
        std::vector<std::pair<std::string_view, std::int32_t>> kept;
        for (const Piece& piece : pieces)
            if (piece.kind == PieceKind::user_defined) kept.emplace_back(piece.text, 0);
        has_kept_ = !kept.empty();
        kept_ = ByteTrie(std::move(kept));
    }

    Status apply(AlignedText& text) const override {
        const std::string_view all = text.text();
        std::size_t at = 0;
        while (rules_.remove_extra_whitespaces && at < all.size()) {
            const auto [bytes, replacement] = next(all, at);
            if (replacement != " ") break;
            at += bytes;
        }
        const Rewriter old(text);
        const bool prefix = rules_.add_dummy_prefix && at < all.size() &&
                            !(rules_.prefix_only_at_start && old.span_at(0).start != 0);
        std::vector<Chunk> chunks;
        if (prefix && !rules_.whitespace_as_suffix) chunks.push_back({" ", at});
        bool after_space = rules_.remove_extra_whitespaces;
        while (at < all.size()) {
            auto [bytes, replacement] = next(all, at);
            while (after_space && replacement.starts_with(' '))
                replacement.remove_prefix(1);
            if (!replacement.empty()) {
                chunks.push_back({replacement, at});
                after_space = rules_.remove_extra_whitespaces && replacement.ends_with(' ');
            }
            at += bytes;
        }
        const std::size_t end = rules_.remove_extra_whitespaces ? drop_spaces_at_end(chunks, at) : at;
        if (prefix && rules_.whitespace_as_suffix) chunks.push_back({" ", end});
        write(chunks, end, text);
        return {};
    }

private:
    /// New text, and where in the old one its characters begin. They reach to the next chunk, over what was
    /// dropped.
    struct Chunk {
        std::string_view text;
        std::size_t at;
    };

    /// Bytes that are replaced at this place, and by what.
    std::pair<std::size_t, std::string_view> next(std::string_view text, std::size_t at) const {
        const std::string_view rest = text.substr(at);
        if (has_kept_)
            if (const auto bytes = kept_.longest_prefix(rest).first; bytes > 0)
                return {bytes, rest.substr(0, bytes)};
        if (const auto found = rules_.map.longest(rest); found.first > 0) return found;
        const std::size_t bytes = character_bytes(rest.front());
        return {bytes, rest.substr(0, bytes)};
    }

    /// Trailing spaces (and what is spelled like one) go; returns where the text ends now.
    std::size_t drop_spaces_at_end(std::vector<Chunk>& chunks, std::size_t end) const {
        while (!chunks.empty()) {
            std::string_view& text = chunks.back().text;
            while (text.ends_with(' ') || (rules_.escape_whitespaces && text.ends_with(space_mark))) {
                text.remove_suffix(text.ends_with(' ') ? 1 : space_mark.size());
                end = chunks.back().at;
            }
            if (!text.empty()) break;
            chunks.pop_back();
        }
        return end;
    }

    void write(const std::vector<Chunk>& chunks, std::size_t end, AlignedText& text) const {
        Rewriter out(text);
        for (std::size_t i = 0; i < chunks.size(); ++i) {
            std::size_t after = i; // the next chunk that comes from another place
            while (after < chunks.size() && chunks[after].at == chunks[i].at)
                ++after;
            const std::size_t until = after < chunks.size() ? chunks[after].at : end;
            const std::uint32_t last = out.span_before(until).end;
            const Span span{chunks[i].at < until ? out.span_at(chunks[i].at).start : last, last};
            for (const char byte : chunks[i].text) {
                if (byte == ' ' && rules_.escape_whitespaces)
                    out.put(space_mark, span);
                else
                    out.put(std::string_view(&byte, 1), span);
            }
        }
        text = std::move(out).finish();
    }

    SentencePieceRules rules_;
    ByteTrie kept_;
    bool has_kept_ = false;
};

} // namespace

std::unique_ptr<Normalizer> make_sentencepiece_normalizer(SentencePieceRules rules,
                                                          const std::vector<Piece>& pieces) {
    return std::make_unique<SentencePieceNormalizer>(std::move(rules), pieces);
}

} // namespace vitrine::tokenizer
