#include "core/tokenizer/word_models.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "core/tokenizer/byte_trie.h"
#include "core/tokenizer/unicode.h"
#include "core/tokenizer/word_cache.h"

namespace vitrine::tokenizer {

namespace {

struct WordScratch final : Model::Scratch {
    WordCache cache;
};

/// What both models share: one token for a word that has no other.
class WordModel : public Model {
public:
    WordModel(Vocabulary vocabulary, std::string unknown)
        : vocabulary_(std::move(vocabulary)), unknown_text_(std::move(unknown)),
          unknown_(vocabulary_.id_of(unknown_text_)) {}

    std::unique_ptr<Scratch> make_scratch() const override { return std::make_unique<WordScratch>(); }
    const Vocabulary& vocabulary() const override { return vocabulary_; }

    std::vector<std::string> warnings(bool /*spelled*/) const override {
        if (unknown_) return {};
        return {fmt::format("The vocabulary lacks its unknown token \"{}\": text that needs it is refused.",
                            unknown_text_)};
    }

protected:
    Status add_unknown(std::string_view word, std::vector<WordToken>& tokens) const {
        if (!unknown_)
            return fail(Code::malformed,
                        fmt::format("The tokenizer's unk_token \"{}\" is not in its vocabulary, but the text "
                                    "needs it.",
                                    unknown_text_));
        tokens.push_back({*unknown_, 0, static_cast<std::uint32_t>(word.size())});
        return {};
    }

private:
    Vocabulary vocabulary_;
    std::string unknown_text_;
    std::optional<std::int32_t> unknown_;
};

class WordLevel final : public WordModel {
public:
    using WordModel::WordModel;

    std::string name() const override { return "WordLevel"; }

    Status tokenize(std::string_view word, Scratch&, std::vector<WordToken>& tokens) const override {
        const auto id = vocabulary().id_of(word);
        if (!id) return add_unknown(word, tokens);
        tokens.push_back({*id, 0, static_cast<std::uint32_t>(word.size())});
        return {};
    }
};

class WordPiece final : public WordModel {
public:
    WordPiece(Vocabulary vocabulary, std::string unknown, std::string_view prefix, std::size_t longest)
        : WordModel(std::move(vocabulary), std::move(unknown)), longest_(longest) {
        std::vector<std::pair<std::string_view, std::int32_t>> whole;
        std::vector<std::pair<std::string_view, std::int32_t>> inner;
        const auto& known = this->vocabulary();
        for (std::size_t i = 0; i < known.end_id(); ++i) {
            const auto id = static_cast<std::int32_t>(i);
            std::string_view token = known.token(id);
            if (!known.has(id) || known.id_of(token) != id) continue;
            whole.emplace_back(token, id);
            if (!token.starts_with(prefix)) continue;
            token.remove_prefix(prefix.size());
            inner.emplace_back(token, id);
        }
        whole_ = ByteTrie(std::move(whole));
        inner_ = ByteTrie(std::move(inner));
    }

    std::string name() const override { return "WordPiece"; }

    Status tokenize(std::string_view word, Scratch& base, std::vector<WordToken>& tokens) const override {
        auto& cache = static_cast<WordScratch&>(base).cache;
        if (cache.append(word, tokens)) return {};
        const std::size_t first = tokens.size();
        const auto characters =
            std::count_if(word.begin(), word.end(), [](char byte) { return !is_continuation(byte); });
        bool fills = static_cast<std::size_t>(characters) <= longest_;
        for (std::size_t at = 0; fills && at < word.size();) {
            const auto [bytes, id] = (at == 0 ? whole_ : inner_).longest_prefix(word.substr(at));
            fills = bytes > 0;
            tokens.push_back({id, static_cast<std::uint32_t>(at), static_cast<std::uint32_t>(at + bytes)});
            at += bytes;
        }
        if (!fills) {
            tokens.resize(first);
            VITRINE_TRY(add_unknown(word, tokens));
        }
        cache.remember(word, tokens, first);
        return {};
    }

private:
    std::size_t longest_; // characters
    ByteTrie whole_;      // tokens that begin a word
    ByteTrie inner_;      // tokens within a word, without their prefix
};

Result<Vocabulary> read_vocabulary(const Component& component) {
    const auto vocab = component.json().find("vocab");
    if (vocab == component.json().end())
        return fail(Code::malformed, fmt::format("{} has no \"vocab\" of tokens.", component.where()));
    return Vocabulary::read(*vocab, component.where());
}

} // namespace

Result<std::unique_ptr<Model>> read_word_piece(const Component& component) {
    VITRINE_ASSIGN(Vocabulary vocabulary, read_vocabulary(component));
    VITRINE_ASSIGN(std::string unknown, component.text("unk_token", "[UNK]"));
    VITRINE_ASSIGN(const std::string prefix, component.text("continuing_subword_prefix", "##"));
    VITRINE_ASSIGN(const std::uint32_t longest, component.number("max_input_chars_per_word", 100));
    return std::make_unique<WordPiece>(std::move(vocabulary), std::move(unknown), prefix, longest);
}

std::unique_ptr<Model> make_word_piece(Vocabulary vocabulary, std::string unknown) {
    return std::make_unique<WordPiece>(std::move(vocabulary), std::move(unknown), "##", 100);
}

Result<std::unique_ptr<Model>> read_word_level(const Component& component) {
    VITRINE_ASSIGN(Vocabulary vocabulary, read_vocabulary(component));
    VITRINE_ASSIGN(std::string unknown, component.text("unk_token", "<unk>"));
    return std::make_unique<WordLevel>(std::move(vocabulary), std::move(unknown));
}

} // namespace vitrine::tokenizer
