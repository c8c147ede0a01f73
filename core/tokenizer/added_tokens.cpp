#include "core/tokenizer/added_tokens.h"

#include <algorithm>
#include <utility>

#include "core/tokenizer/unicode.h"

namespace vitrine::tokenizer {

namespace {

std::uint64_t edge(std::uint32_t node, char byte) {
    return static_cast<std::uint64_t>(node) << 8 | static_cast<unsigned char>(byte);
}

bool is_word_character(std::string_view text, std::size_t at) {
    static const auto regex = Regex::compile(R"(\G[\p{Alphabetic}\p{M}\p{Nd}\p{Pc}\p{Join_Control}])", "");
    const auto found = regex->search(text, at);
    return found && found->has_value();
}

bool touches_words(std::string_view text, Range match) {
    return (match.begin > 0 && is_word_character(text, character_before(text, match.begin))) ||
           (match.end < text.size() && is_word_character(text, match.end));
}

/// The match with the spaces that its token takes along, but not those before `done`.
Range widen(std::string_view text, Range match, const AddedToken& token, std::size_t done) {
    while (token.lstrip && match.begin > done) {
        const std::size_t before = character_before(text, match.begin);
        if (!is_whitespace(decode_at(text, before).value)) break;
        match.begin = before;
    }
    while (token.rstrip && match.end < text.size()) {
        const CodePoint next = decode_at(text, match.end);
        if (!is_whitespace(next.value)) break;
        match.end += next.bytes;
    }
    return match;
}

} // namespace

void ByteTree::add(std::string_view text, std::size_t value) {
    if (text.empty()) return;
    first_bytes_[static_cast<unsigned char>(text.front())] = true;
    std::uint32_t node = 0;
    for (const char byte : text) {
        const auto [child, is_new] = children_.try_emplace(edge(node, byte), nodes_);
        if (is_new) ++nodes_;
        node = child->second;
    }
    values_.emplace(node, value);
}

std::optional<ByteTree::Found> ByteTree::find(std::string_view text, std::size_t from) const {
    if (children_.empty()) return std::nullopt;
    for (std::size_t begin = from; begin < text.size(); ++begin) {
        if (!first_bytes_[static_cast<unsigned char>(text[begin])]) continue;
        std::optional<Found> longest;
        std::uint32_t node = 0;
        for (std::size_t at = begin; at < text.size(); ++at) {
            const auto child = children_.find(edge(node, text[at]));
            if (child == children_.end()) break;
            node = child->second;
            if (const auto value = values_.find(node); value != values_.end())
                longest = Found{{begin, at + 1}, value->second};
        }
        if (longest) return longest;
    }
    return std::nullopt;
}

Result<AddedTokens> AddedTokens::make(std::vector<AddedToken> tokens, const Vocabulary& vocabulary,
                                      const Normalizer* normalizer) {
    AddedTokens result;
    const auto count = static_cast<std::int32_t>(vocabulary.count());
    std::int32_t largest = -1;
    for (AddedToken& token : tokens) {
        if (token.content.empty()) continue;
        if (const auto known = result.by_content_.find(token.content); known != result.by_content_.end())
            token.id = known->second;
        else if (const auto id = vocabulary.id_of(token.content))
            token.id = *id;
        else
            token.id = std::max(largest + 1, count);
        largest = std::max(largest, token.id);
        result.end_id_ = largest + 1;
        result.by_content_[token.content] = token.id;
        const auto [place, is_new] = result.by_id_.try_emplace(token.id, result.tokens_.size());
        if (!is_new) {
            result.tokens_[place->second] = std::move(token); // the later description holds
            continue;
        }
        result.tokens_.push_back(std::move(token));
    }
    for (std::size_t i = 0; i < result.tokens_.size(); ++i) {
        AddedToken& token = result.tokens_[i];
        AlignedText content(token.content, 0);
        if (token.normalized && normalizer != nullptr) VITRINE_TRY(normalizer->apply(content));
        (token.normalized ? result.normalized_ : result.plain_).add(content.text(), i);
        token.pattern = content.text();
    }
    return result;
}

Status AddedTokens::cut_out(AlignedText text, const ByteTree& tree, std::vector<Segment>& segments) const {
    if (tree.empty()) {
        if (!text.text().empty()) segments.push_back({std::move(text), std::nullopt});
        return {};
    }
    const std::string& all = text.text();
    const auto add = [&](Range range, std::optional<std::int32_t> id) {
        if (range.end > range.begin) segments.push_back({text.slice(range), id});
    };
    std::size_t done = 0;
    std::size_t from = 0;
    while (const auto found = tree.find(all, from)) {
        from = found->range.end;
        const AddedToken& token = tokens_[found->value];
        if (token.single_word && touches_words(all, found->range)) continue;
        const Range match = widen(all, found->range, token, done);
        add({done, std::max(done, match.begin)}, std::nullopt);
        add(match, token.id);
        done = match.end;
    }
    add({done, std::max(done, all.size())}, std::nullopt);
    return {};
}

Result<std::vector<Segment>> AddedTokens::cut(std::string_view text, const Normalizer* normalizer) const {
    std::vector<Segment> plain;
    VITRINE_TRY(cut_out(AlignedText(text, 0), plain_, plain));
    std::vector<Segment> segments;
    for (Segment& segment : plain) {
        if (segment.added) {
            segments.push_back(std::move(segment));
            continue;
        }
        if (normalizer != nullptr) VITRINE_TRY(normalizer->apply(segment.text));
        VITRINE_TRY(cut_out(std::move(segment.text), normalized_, segments));
    }
    return segments;
}

std::optional<std::int32_t> AddedTokens::id_of(std::string_view content) const {
    const auto found = by_content_.find(std::string(content));
    if (found == by_content_.end()) return std::nullopt;
    return found->second;
}

const AddedToken* AddedTokens::find(std::int32_t id) const {
    const auto found = by_id_.find(id);
    return found == by_id_.end() ? nullptr : &tokens_[found->second];
}

bool AddedTokens::is_special(std::int32_t id) const {
    const AddedToken* const token = find(id);
    return token != nullptr && token->special;
}

Result<std::vector<AddedToken>> read_added_tokens(const LargeJson& list, const std::string& where) {
    std::vector<AddedToken> tokens;
    for (const auto& json : list) {
        VITRINE_ASSIGN(const Component component, Component::open(json, where));
        AddedToken token;
        VITRINE_ASSIGN(token.content, component.text("content"));
        VITRINE_ASSIGN(token.single_word, component.flag("single_word", false));
        VITRINE_ASSIGN(token.lstrip, component.flag("lstrip", false));
        VITRINE_ASSIGN(token.rstrip, component.flag("rstrip", false));
        VITRINE_ASSIGN(token.special, component.flag("special", false));
        VITRINE_ASSIGN(token.normalized, component.flag("normalized", !token.special));
        VITRINE_ASSIGN(const std::uint32_t id, component.number("id", 0U));
        token.id = static_cast<std::int32_t>(id);
        tokens.push_back(std::move(token));
    }
    return tokens;
}

} // namespace vitrine::tokenizer
