#include "core/tokenizer/bpe.h"

#include <array>
#include <unordered_map>

#include <fmt/format.h>

#include "core/tokenizer/byte_level.h"
#include "core/tokenizer/merges.h"
#include "core/tokenizer/seams.h"
#include "core/tokenizer/unicode.h"
#include "core/tokenizer/word_cache.h"

namespace vitrine::tokenizer {

namespace {

struct BpeScratch final : Model::Scratch {
    WordCache cache;
    std::vector<Symbol> symbols;
};

class Bpe final : public Model {
public:
    Bpe(Vocabulary vocabulary, Merges merges, Seams seams, BpeOptions options)
        : vocabulary_(std::move(vocabulary)), merges_(std::move(merges)), seams_(std::move(seams)),
          options_(std::move(options)) {
        if (options_.unk_token) unknown_ = vocabulary_.id_of(*options_.unk_token);
        for (std::size_t byte = 0; byte < 256; ++byte) {
            std::string spelled;
            append_utf8(spelled, byte_characters()[byte]);
            byte_ids_[byte] = vocabulary_.id_of(spelled).value_or(-1);
            fallback_ids_[byte] = vocabulary_.id_of(fmt::format("<0x{:02X}>", byte)).value_or(-1);
        }
        characters_.assign(0x10000, -1);
        for (std::size_t i = 0; i < vocabulary_.end_id(); ++i) {
            const auto id = static_cast<std::int32_t>(i);
            const std::string_view token = vocabulary_.token(id);
            if (token.empty() || character_bytes(token.front()) != token.size()) continue;
            if (const auto value = decode_at(token, 0).value; value < characters_.size())
                characters_[value] = id;
        }
    }

    std::unique_ptr<Scratch> make_scratch() const override { return std::make_unique<BpeScratch>(); }
    const Vocabulary& vocabulary() const override { return vocabulary_; }
    std::string name() const override { return "BPE"; }

    bool can_use_bytes() const override {
        if (!options_.continuing_subword_prefix.empty() || !options_.end_of_word_suffix.empty()) return false;
        for (const auto id : byte_ids_)
            if (id < 0) return false;
        return true;
    }

    void use_bytes() override {
        reads_bytes_ = true;
        if (!options_.ignore_merges) return;
        for (std::size_t id = 0; id < vocabulary_.end_id(); ++id)
            if (vocabulary_.has(static_cast<std::int32_t>(id)))
                if (auto bytes = bytes_spelled(vocabulary_.token(static_cast<std::int32_t>(id))))
                    whole_words_.emplace(std::move(*bytes), static_cast<std::int32_t>(id));
    }

    std::vector<std::string> warnings(bool spelled) const override {
        std::string missing;
        int count = 0;
        for (std::size_t byte = 0; spelled && byte < 256; ++byte)
            if (byte_ids_[byte] < 0) {
                missing += fmt::format(" {:02X}", byte);
                ++count;
            }
        if (count == 0 || options_.unk_token || options_.byte_fallback) return {};
        return {fmt::format("The vocabulary lacks {} of the 256 bytes; they are dropped from every text:{}.",
                            count, missing)};
    }

    Status tokenize(std::string_view word, Scratch& base, std::vector<WordToken>& tokens) const override {
        auto& scratch = static_cast<BpeScratch&>(base);
        if (options_.ignore_merges)
            if (const auto id = whole_word(word)) {
                tokens.push_back({*id, 0, static_cast<std::uint32_t>(word.size())});
                return {};
            }
        std::uint32_t at = 0;
        if (reads_bytes_ || marks_places()) return tokenize_part(word, scratch, at, tokens);
        while (!word.empty()) {
            const std::size_t end = seams_.first(word, [&](char32_t value) { return is_known(value); });
            VITRINE_TRY(tokenize_part(word.substr(0, end), scratch, at, tokens));
            word.remove_prefix(end);
        }
        return {};
    }

private:
    std::optional<std::int32_t> whole_word(std::string_view word) const {
        if (!reads_bytes_) return vocabulary_.id_of(word);
        const auto found = whole_words_.find(word);
        if (found == whole_words_.end()) return std::nullopt;
        return found->second;
    }

    /// True if a character's token depends on its place in the word.
    bool marks_places() const {
        return !options_.continuing_subword_prefix.empty() || !options_.end_of_word_suffix.empty();
    }

    /// Rarer characters count as unknown here: that only makes parts longer.
    bool is_known(char32_t value) const { return value < characters_.size() && characters_[value] >= 0; }

    /// Appends the tokens of a part of a word; `at` is where they begin, and then where they end.
    Status tokenize_part(std::string_view part, BpeScratch& scratch, std::uint32_t& at,
                         std::vector<WordToken>& tokens) const {
        const std::size_t first = tokens.size();
        if (!scratch.cache.append(part, tokens)) {
            scratch.symbols.clear();
            if (reads_bytes_) {
                for (const char byte : part)
                    scratch.symbols.push_back({byte_ids_[static_cast<unsigned char>(byte)], 1});
            } else {
                VITRINE_TRY(begin_with_characters(part, scratch.symbols));
            }
            merge_all(merges_, scratch.symbols);
            std::uint32_t end = 0;
            for (const Symbol& symbol : scratch.symbols) {
                tokens.push_back({symbol.id, end, end + symbol.bytes});
                end += symbol.bytes;
            }
            scratch.cache.remember(part, tokens, first);
        }
        if (tokens.size() == first) return {};
        const std::uint32_t shift = at;
        at += tokens.back().end;
        if (shift > 0)
            for (std::size_t i = first; i < tokens.size(); ++i) {
                tokens[i].begin += shift;
                tokens[i].end += shift;
            }
        return {};
    }

    std::optional<std::int32_t> id_of_character(std::string_view character, bool first, bool last) const {
        if (!marks_places()) {
            const CodePoint c = decode_at(character, 0);
            if (c.value >= characters_.size()) return vocabulary_.id_of(character);
            const std::int32_t id = characters_[c.value];
            return id < 0 ? std::nullopt : std::optional(id);
        }
        std::string spelled = first ? std::string() : options_.continuing_subword_prefix;
        spelled += character;
        if (last) spelled += options_.end_of_word_suffix;
        return vocabulary_.id_of(spelled);
    }

    bool fall_back(std::string_view character, std::vector<Symbol>& symbols) const {
        if (!options_.byte_fallback) return false;
        for (const char byte : character)
            if (fallback_ids_[static_cast<unsigned char>(byte)] < 0) return false;
        for (const char byte : character)
            symbols.push_back({fallback_ids_[static_cast<unsigned char>(byte)], 1});
        return true;
    }

    /// The word's characters as tokens. A character that is unknown and has no replacement is left out, and
    /// what follows it moves to its place: the `tokenizers` library gives these offsets.
    Status begin_with_characters(std::string_view word, std::vector<Symbol>& symbols) const {
        std::uint32_t unknown_bytes = 0; // of an unknown run that is not yet among the symbols
        const auto flush = [&] {
            if (unknown_bytes > 0) symbols.push_back({*unknown_, unknown_bytes});
            unknown_bytes = 0;
        };
        for (std::size_t at = 0; at < word.size();) {
            const std::size_t bytes = character_bytes(word[at]);
            const std::string_view character = word.substr(at, bytes);
            at += bytes;
            if (const auto id = id_of_character(character, at == bytes, at == word.size())) {
                flush();
                symbols.push_back({*id, static_cast<std::uint32_t>(bytes)});
            } else if (!fall_back(character, symbols) && options_.unk_token) {
                if (!unknown_)
                    return fail(
                        Code::malformed,
                        fmt::format("The tokenizer's unk_token \"{}\" is not in its vocabulary, but the text "
                                    "needs it.",
                                    *options_.unk_token));
                if (!options_.fuse_unk) flush();
                unknown_bytes += static_cast<std::uint32_t>(bytes);
            }
        }
        flush();
        return {};
    }

    Vocabulary vocabulary_;
    Merges merges_;
    Seams seams_;
    BpeOptions options_;
    std::optional<std::int32_t> unknown_;
    std::array<std::int32_t, 256> byte_ids_{};
    std::array<std::int32_t, 256> fallback_ids_{};
    std::vector<std::int32_t> characters_; // code point of the basic plane → id, or -1
    bool reads_bytes_ = false;
    StringMap whole_words_;
};

Result<MergeList> read_merges(const Component& component) {
    VITRINE_ASSIGN(const LargeJson* list, component.list("merges"));
    MergeList merges;
    merges.reserve(list->size());
    for (const auto& json : *list) {
        if (json.is_array() && json.size() == 2 && json[0].is_string() && json[1].is_string()) {
            merges.emplace_back(json[0].get<std::string>(), json[1].get<std::string>());
            continue;
        }
        const auto bad = [&] {
            return fail(Code::malformed, fmt::format("{}: merge {} is not a pair of tokens.",
                                                     component.where(), merges.size() + 1));
        };
        if (!json.is_string()) return bad();
        const auto& text = json.get_ref<const std::string&>();
        if (text.starts_with("#version")) continue;
        const auto space = text.find(' ');
        if (space == std::string::npos || text.find(' ', space + 1) != std::string::npos) return bad();
        merges.emplace_back(text.substr(0, space), text.substr(space + 1));
    }
    return merges;
}

} // namespace

Result<std::unique_ptr<Model>> make_bpe(Vocabulary vocabulary, const MergeList& list, BpeOptions options,
                                        const std::string& where) {
    Merges merges(list.size());
    Seams seams;
    std::uint32_t rank = 0;
    for (const auto& [left, right] : list) {
        const auto left_id = vocabulary.id_of(left);
        const auto right_id = vocabulary.id_of(right);
        const auto& prefix = options.continuing_subword_prefix;
        const bool prefixed = !prefix.empty() && right.size() >= prefix.size();
        const auto merged_id = vocabulary.id_of(left + (prefixed ? right.substr(prefix.size()) : right));
        if (!left_id || !right_id || !merged_id)
            return fail(Code::malformed,
                        fmt::format("{}: merge {} joins \"{}\" and \"{}\", but the vocabulary lacks {}.",
                                    where, rank + 1, left, right,
                                    !left_id    ? "the first"
                                    : !right_id ? "the second"
                                                : "the result"));
        merges.add(static_cast<std::uint32_t>(*left_id), static_cast<std::uint32_t>(*right_id),
                   {rank++, *merged_id});
        if (!left.empty() && !right.empty()) seams.add(left, right);
    }
    return std::make_unique<Bpe>(std::move(vocabulary), std::move(merges), std::move(seams),
                                 std::move(options));
}

Result<std::unique_ptr<Model>> read_bpe(const Component& component) {
    const auto vocab = component.json().find("vocab");
    if (vocab == component.json().end())
        return fail(Code::malformed, fmt::format("{} has no \"vocab\" of tokens.", component.where()));
    VITRINE_ASSIGN(Vocabulary vocabulary, Vocabulary::read(*vocab, component.where()));
    BpeOptions options;
    if (component.has("unk_token")) {
        VITRINE_ASSIGN(options.unk_token, component.text("unk_token"));
    }
    VITRINE_ASSIGN(options.continuing_subword_prefix, component.text("continuing_subword_prefix", ""));
    VITRINE_ASSIGN(options.end_of_word_suffix, component.text("end_of_word_suffix", ""));
    VITRINE_ASSIGN(options.byte_fallback, component.flag("byte_fallback", false));
    VITRINE_ASSIGN(options.fuse_unk, component.flag("fuse_unk", false));
    VITRINE_ASSIGN(options.ignore_merges, component.flag("ignore_merges", false));
    VITRINE_ASSIGN(const MergeList merges, read_merges(component));
    return make_bpe(std::move(vocabulary), merges, std::move(options), component.where());
}

} // namespace vitrine::tokenizer
