#include "core/tokenizer/unigram.h"

#include <algorithm>
#include <array>
#include <limits>
#include <utility>

#include <fmt/format.h>

#include "core/tokenizer/byte_trie.h"
#include "core/tokenizer/unicode.h"
#include "core/tokenizer/word_cache.h"

namespace vitrine::tokenizer {

namespace {

constexpr double unknown_penalty = 10.0;

struct UnigramOptions {
    std::optional<std::int32_t> unknown;
    double unknown_score = 0;
    bool byte_fallback = false;
    bool as_sentencepiece = false; ///< sums in float32; bytes one character at a time
};

/// The best way to get to a byte of the word.
struct Arrival {
    double score = 0;
    std::int32_t from = -1; ///< byte where its last piece begins; -1: nothing leads here
    std::int32_t id = 0;
};

struct UnigramScratch final : Model::Scratch {
    WordCache cache;
    std::vector<Arrival> arrivals;
    std::vector<WordToken> backwards;
};

class Unigram final : public Model {
public:
    Unigram(Vocabulary vocabulary, std::vector<double> scores, const std::vector<bool>& matches,
            UnigramOptions options)
        : vocabulary_(std::move(vocabulary)), scores_(std::move(scores)), options_(options) {
        std::vector<std::pair<std::string_view, std::int32_t>> entries;
        for (std::size_t id = 0; id < scores_.size(); ++id)
            if (matches[id])
                entries.emplace_back(vocabulary_.token(static_cast<std::int32_t>(id)),
                                     static_cast<std::int32_t>(id));
        trie_ = ByteTrie(std::move(entries));
        for (unsigned byte = 0; byte < 256; ++byte)
            bytes_[byte] = vocabulary_.id_of(byte_piece(static_cast<unsigned char>(byte))).value_or(-1);
    }

    std::unique_ptr<Scratch> make_scratch() const override { return std::make_unique<UnigramScratch>(); }
    const Vocabulary& vocabulary() const override { return vocabulary_; }
    std::string name() const override { return "Unigram"; }

    std::vector<std::string> warnings(bool /*spelled*/) const override {
        if (options_.unknown) return {};
        return {"The vocabulary has no unknown token: text with a character that it lacks is refused."};
    }

    Status tokenize(std::string_view word, Scratch& base, std::vector<WordToken>& tokens) const override {
        if (word.size() > static_cast<std::size_t>(std::numeric_limits<std::int32_t>::max()))
            return fail(Code::too_large, "A word of more than 2 GiB cannot be cut into pieces.");
        auto& scratch = static_cast<UnigramScratch&>(base);
        if (scratch.cache.append(word, tokens)) return {};
        const std::size_t first = tokens.size();
        VITRINE_TRY(find_best_path(word, scratch.arrivals));
        walk_back(word, scratch);
        append(word, scratch.backwards, tokens);
        scratch.cache.remember(word, tokens, first);
        return {};
    }

private:
    double rounded(double sum) const {
        return options_.as_sentencepiece ? static_cast<double>(static_cast<float>(sum)) : sum;
    }

    void offer(Arrival& arrival, double sum, std::size_t from, std::int32_t id) const {
        const double score = rounded(sum);
        if (arrival.from >= 0 && !(score > arrival.score)) return;
        arrival = {score, static_cast<std::int32_t>(from), id};
    }

    Status find_best_path(std::string_view word, std::vector<Arrival>& arrivals) const {
        arrivals.assign(word.size() + 1, {});
        for (std::size_t from = 0; from < word.size();) {
            const std::size_t character = std::min(character_bytes(word[from]), word.size() - from);
            const double here = arrivals[from].score;
            bool known = false;
            ByteTrie::Node node = ByteTrie::root;
            for (std::size_t at = from; at < word.size(); ++at) {
                node = trie_.step(node, word[at]);
                if (node == ByteTrie::none) break;
                const std::int32_t id = trie_.value(node);
                if (id == ByteTrie::no_value) continue;
                offer(arrivals[at + 1], scores_[static_cast<std::size_t>(id)] + here, from, id);
                known = known || at + 1 - from == character;
            }
            if (!known) {
                if (!options_.unknown)
                    return fail(
                        Code::unsupported,
                        fmt::format("The tokenizer has no token for \"{}\" and none for unknown text.",
                                    word.substr(from, character)));
                offer(arrivals[from + character], options_.unknown_score + here, from, *options_.unknown);
            }
            from += character;
        }
        return {};
    }

    /// The pieces of the best path, the last first; a run of unknown ones is one.
    void walk_back(std::string_view word, UnigramScratch& scratch) const {
        auto& pieces = scratch.backwards;
        pieces.clear();
        const bool joins = !(options_.as_sentencepiece && options_.byte_fallback);
        for (std::size_t end = word.size(); end > 0;) {
            const Arrival& arrival = scratch.arrivals[end];
            const auto begin = static_cast<std::uint32_t>(arrival.from);
            const bool unknown = options_.unknown && arrival.id == *options_.unknown;
            if (joins && unknown && !pieces.empty() && pieces.back().id == arrival.id)
                pieces.back().begin = begin;
            else
                pieces.push_back({arrival.id, begin, static_cast<std::uint32_t>(end)});
            end = begin;
        }
    }

    void append(std::string_view word, const std::vector<WordToken>& backwards,
                std::vector<WordToken>& tokens) const {
        for (auto piece = backwards.rbegin(); piece != backwards.rend(); ++piece) {
            const std::string_view text = word.substr(piece->begin, piece->end - piece->begin);
            const bool unknown = options_.unknown && piece->id == *options_.unknown;
            const auto id = unknown && !options_.as_sentencepiece ? vocabulary_.id_of(text) : std::nullopt;
            if (unknown && !id && has_bytes(text)) {
                for (const char byte : text)
                    tokens.push_back({bytes_[static_cast<unsigned char>(byte)], piece->begin, piece->end});
            } else {
                tokens.push_back({id.value_or(piece->id), piece->begin, piece->end});
            }
        }
    }

    bool has_bytes(std::string_view text) const {
        return options_.byte_fallback && std::all_of(text.begin(), text.end(), [&](char byte) {
                   return bytes_[static_cast<unsigned char>(byte)] >= 0;
               });
    }

    Vocabulary vocabulary_;
    std::vector<double> scores_;
    UnigramOptions options_;
    ByteTrie trie_;
    std::array<std::int32_t, 256> bytes_{};
};

} // namespace

std::string byte_piece(unsigned char byte) { return fmt::format("<0x{:02X}>", byte); }

Result<std::unique_ptr<Model>> read_unigram(const Component& component) {
    VITRINE_ASSIGN(const LargeJson* list, component.list("vocab"));
    std::vector<std::string> texts;
    std::vector<double> scores;
    double least = std::numeric_limits<double>::infinity();
    for (const auto& json : *list) {
        if (!json.is_array() || json.size() != 2 || !json[0].is_string() || !json[1].is_number())
            return fail(Code::malformed,
                        fmt::format("{}: entry {} of \"vocab\" is not a token and its score.",
                                    component.where(), texts.size()));
        texts.push_back(json[0].get<std::string>());
        scores.push_back(json[1].get<double>());
        least = std::min(least, scores.back());
    }
    if (texts.empty())
        return fail(Code::malformed, fmt::format("{} has an empty \"vocab\".", component.where()));
    UnigramOptions options;
    if (component.has("unk_id")) {
        VITRINE_ASSIGN(const std::uint32_t unknown, component.number("unk_id"));
        if (unknown >= texts.size())
            return fail(Code::malformed, fmt::format("{}: the unk_id {} is beyond its {} tokens.",
                                                     component.where(), unknown, texts.size()));
        options.unknown = static_cast<std::int32_t>(unknown);
    }
    options.unknown_score = least - unknown_penalty;
    VITRINE_ASSIGN(options.byte_fallback, component.flag("byte_fallback", false));
    const std::vector<bool> matches(texts.size(), true);
    return std::make_unique<Unigram>(Vocabulary::listed(std::move(texts)), std::move(scores), matches,
                                     options);
}

Result<std::unique_ptr<Model>> make_unigram(std::vector<Piece> pieces, bool byte_fallback,
                                            const std::string& where) {
    UnigramOptions options;
    options.byte_fallback = byte_fallback;
    options.as_sentencepiece = true;
    float least = std::numeric_limits<float>::max();
    float most = std::numeric_limits<float>::min();
    for (std::size_t id = 0; id < pieces.size(); ++id) {
        const Piece& piece = pieces[id];
        if (piece.kind == PieceKind::normal) {
            least = std::min(least, piece.score);
            most = std::max(most, piece.score);
        }
        if (piece.kind == PieceKind::unknown) options.unknown = static_cast<std::int32_t>(id);
    }
    if (!options.unknown) return fail(Code::malformed, fmt::format("{} has no unknown piece.", where));
    options.unknown_score = static_cast<double>(least - static_cast<float>(unknown_penalty));

    std::vector<std::string> texts;
    std::vector<double> scores;
    std::vector<bool> matches;
    for (Piece& piece : pieces) {
        const bool user_defined = piece.kind == PieceKind::user_defined;
        matches.push_back(user_defined || piece.kind == PieceKind::normal);
        // So much that it is always taken.
        scores.push_back(user_defined
                             ? static_cast<double>(static_cast<float>(piece.text.size()) * most) - 0.1
                             : static_cast<double>(piece.score));
        texts.push_back(std::move(piece.text));
    }
    return std::make_unique<Unigram>(Vocabulary::listed(std::move(texts)), std::move(scores), matches,
                                     options);
}

} // namespace vitrine::tokenizer
