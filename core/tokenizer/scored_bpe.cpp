#include "core/tokenizer/scored_bpe.h"

#include <algorithm>
#include <array>
#include <limits>
#include <numeric>
#include <unordered_map>
#include <utility>

#include <fmt/format.h>

#include "core/tokenizer/byte_trie.h"
#include "core/tokenizer/merges.h"
#include "core/tokenizer/seams.h"
#include "core/tokenizer/word_cache.h"

namespace vitrine::tokenizer {

namespace {

constexpr std::uint32_t no_rank = std::numeric_limits<std::uint32_t>::max();

struct ScoredBpeScratch final : Model::Scratch {
    WordCache cache;
    std::vector<Symbol> symbols;
};

bool takes_part(PieceKind kind) {
    return kind == PieceKind::normal || kind == PieceKind::user_defined || kind == PieceKind::unused;
}

bool is_one_character(std::string_view text) { return character_bytes(text.front()) == text.size(); }

/// Each piece's place in the order of merging; equal scores have equal ranks.
std::vector<std::uint32_t> ranks_of(const std::vector<Piece>& pieces, MergeOrder order) {
    std::vector<std::uint32_t> by_id(pieces.size());
    std::iota(by_id.begin(), by_id.end(), 0U);
    if (order == MergeOrder::by_id) return by_id;
    std::vector<std::uint32_t> sorted = by_id;
    std::stable_sort(sorted.begin(), sorted.end(),
                     [&](auto a, auto b) { return pieces[a].score > pieces[b].score; });
    std::vector<std::uint32_t> ranks(pieces.size());
    std::uint32_t rank = 0;
    for (std::size_t i = 0; i < sorted.size(); ++i) {
        if (i > 0 && pieces[sorted[i]].score != pieces[sorted[i - 1]].score) ++rank;
        ranks[sorted[i]] = rank;
    }
    return ranks;
}

/// What characters and merges there are. Characters that are no piece but occur in pieces have numbers beyond
/// the ids of all pieces while they are merged.
struct Alphabet {
    std::unordered_map<char32_t, std::int32_t> symbols;
    Merges merges;
    Seams seams;

    Alphabet(const std::vector<Piece>& pieces, const Vocabulary& vocabulary, MergeOrder order) {
        const auto symbol_of = [&](std::string_view text) {
            if (is_one_character(text)) return symbols.at(decode_at(text, 0).value);
            const auto id = vocabulary.id_of(text);
            return id && takes_part(pieces[static_cast<std::size_t>(*id)].kind) ? *id : -1;
        };
        auto beyond = static_cast<std::int32_t>(pieces.size());
        for (const Piece& piece : pieces) {
            for (std::size_t at = 0; takes_part(piece.kind) && at < piece.text.size();) {
                const CodePoint c = decode_at(piece.text, at);
                const auto id = vocabulary.id_of(std::string_view(piece.text).substr(at, c.bytes));
                const bool is_piece = id && takes_part(pieces[static_cast<std::size_t>(*id)].kind);
                if (symbols.try_emplace(c.value, is_piece ? *id : beyond).second && !is_piece) ++beyond;
                at += c.bytes;
            }
        }
        const auto ranks = ranks_of(pieces, order);
        for (std::size_t id = 0; id < pieces.size(); ++id) {
            const std::string_view text = pieces[id].text;
            if (!takes_part(pieces[id].kind)) continue;
            for (std::size_t cut = character_bytes(text.front()); cut < text.size();
                 cut += character_bytes(text[cut])) {
                const std::string_view left = text.substr(0, cut);
                const std::string_view right = text.substr(cut);
                const std::int32_t left_symbol = symbol_of(left);
                const std::int32_t right_symbol = left_symbol < 0 ? -1 : symbol_of(right);
                if (right_symbol < 0) continue;
                merges.add(static_cast<std::uint32_t>(left_symbol), static_cast<std::uint32_t>(right_symbol),
                           {ranks[id], static_cast<std::int32_t>(id)});
                seams.add(left, right);
            }
        }
    }
};

class ScoredBpe final : public Model {
public:
    ScoredBpe(Vocabulary vocabulary, Alphabet alphabet, const std::vector<PieceKind>& kinds,
              bool byte_fallback)
        : vocabulary_(std::move(vocabulary)), alphabet_(std::move(alphabet)), byte_fallback_(byte_fallback) {
        plane_.assign(0x10000, unknown_symbol);
        for (const auto& [value, symbol] : alphabet_.symbols)
            if (value < plane_.size()) plane_[value] = symbol;
        std::vector<std::pair<std::string_view, std::int32_t>> whole;
        for (std::size_t i = 0; i < kinds.size(); ++i) {
            const auto id = static_cast<std::int32_t>(i);
            if (kinds[i] == PieceKind::unknown) unknown_ = id;
            if (kinds[i] == PieceKind::user_defined) whole.emplace_back(vocabulary_.token(id), id);
            if (kinds[i] == PieceKind::unused) unused_.emplace(id, std::vector<Symbol>());
        }
        has_whole_ = !whole.empty();
        whole_ = ByteTrie(std::move(whole));
        for (unsigned byte = 0; byte < 256; ++byte)
            bytes_[byte] = vocabulary_.id_of(byte_piece(static_cast<unsigned char>(byte))).value_or(-1);
        for (auto& [id, parts] : unused_)
            parts = last_parts(id);
    }

    std::unique_ptr<Scratch> make_scratch() const override { return std::make_unique<ScoredBpeScratch>(); }
    const Vocabulary& vocabulary() const override { return vocabulary_; }
    std::string name() const override { return byte_fallback_ ? "BPE (byte fallback)" : "BPE"; }

    std::vector<std::string> warnings(bool /*spelled*/) const override {
        const auto missing = std::count(bytes_.begin(), bytes_.end(), -1);
        if (!byte_fallback_ || missing == 0) return {};
        return {fmt::format(
            "The vocabulary lacks {} of the 256 bytes; characters that need them become the unknown "
            "token.",
            missing)};
    }

    Status tokenize(std::string_view word, Scratch& base, std::vector<WordToken>& tokens) const override {
        auto& scratch = static_cast<ScoredBpeScratch&>(base);
        std::size_t begin = 0; // of what has not been tokenized
        std::size_t at = 0;
        while (has_whole_ && at < word.size()) {
            const auto [bytes, id] = whole_.longest_prefix(word.substr(at));
            if (bytes == 0) {
                at += character_bytes(word[at]);
                continue;
            }
            VITRINE_TRY(merge_range(word, {begin, at}, scratch, tokens));
            tokens.push_back({id, static_cast<std::uint32_t>(at), static_cast<std::uint32_t>(at + bytes)});
            at += bytes;
            begin = at;
        }
        return merge_range(word, {begin, word.size()}, scratch, tokens);
    }

private:
    static constexpr std::int32_t unknown_symbol = std::numeric_limits<std::int32_t>::max();

    std::int32_t symbol_of(char32_t value) const {
        if (value < plane_.size()) return plane_[value];
        const auto found = alphabet_.symbols.find(value);
        return found == alphabet_.symbols.end() ? unknown_symbol : found->second;
    }

    bool is_piece(std::int32_t symbol) const {
        return static_cast<std::size_t>(symbol) < vocabulary_.end_id();
    }

    Status merge_range(std::string_view word, Range range, ScoredBpeScratch& scratch,
                       std::vector<WordToken>& tokens) const {
        while (range.begin < range.end) {
            const std::string_view rest = word.substr(range.begin, range.end - range.begin);
            const std::size_t bytes =
                alphabet_.seams.first(rest, [&](char32_t value) { return is_piece(symbol_of(value)); });
            const std::size_t first = tokens.size();
            const std::string_view part = rest.substr(0, bytes);
            if (!scratch.cache.append(part, tokens)) {
                VITRINE_TRY(merge_part(part, scratch.symbols, tokens));
                scratch.cache.remember(part, tokens, first);
            }
            for (std::size_t i = first; i < tokens.size(); ++i) {
                tokens[i].begin += static_cast<std::uint32_t>(range.begin);
                tokens[i].end += static_cast<std::uint32_t>(range.begin);
            }
            range.begin += bytes;
        }
        return {};
    }

    Status merge_part(std::string_view part, std::vector<Symbol>& symbols,
                      std::vector<WordToken>& tokens) const {
        symbols.clear();
        for (std::size_t at = 0; at < part.size();) {
            const CodePoint c = decode_at(part, at);
            symbols.push_back({symbol_of(c.value), static_cast<std::uint32_t>(c.bytes)});
            at += c.bytes;
        }
        merge_all(alphabet_.merges, symbols);
        std::uint32_t at = 0;
        bool after_unknown = false;
        for (const Symbol& symbol : symbols) {
            const bool unknown = !is_piece(symbol.id);
            if (!unknown)
                append_piece(symbol, at, tokens);
            else
                VITRINE_TRY(append_unknown(part.substr(at, symbol.bytes), at, after_unknown, tokens));
            after_unknown = unknown;
            at += symbol.bytes;
        }
        return {};
    }

    void append_piece(const Symbol& symbol, std::uint32_t at, std::vector<WordToken>& tokens) const {
        const auto parts = unused_.find(symbol.id);
        if (parts == unused_.end() || parts->second.empty()) {
            tokens.push_back({symbol.id, at, at + symbol.bytes});
            return;
        }
        for (const Symbol& part : parts->second) {
            append_piece(part, at, tokens);
            at += part.bytes;
        }
    }

    Status append_unknown(std::string_view character, std::uint32_t at, bool after_unknown,
                          std::vector<WordToken>& tokens) const {
        const auto end = at + static_cast<std::uint32_t>(character.size());
        const bool spelled =
            byte_fallback_ && std::all_of(character.begin(), character.end(), [&](char byte) {
                return bytes_[static_cast<unsigned char>(byte)] >= 0;
            });
        if (spelled) {
            for (const char byte : character)
                tokens.push_back({bytes_[static_cast<unsigned char>(byte)], at, end});
            return {};
        }
        if (!unknown_)
            return fail(
                Code::unsupported,
                fmt::format("The tokenizer has no token for \"{}\" and none for unknown text.", character));
        if (after_unknown && !tokens.empty() && tokens.back().id == *unknown_ && tokens.back().end == at)
            tokens.back().end = end;
        else
            tokens.push_back({*unknown_, at, end});
        return {};
    }

    /// The two symbols whose merge makes an unused piece: those left when everything but that has been
    /// merged.
    std::vector<Symbol> last_parts(std::int32_t id) const {
        const std::string_view text = vocabulary_.token(id);
        std::vector<Symbol> symbols;
        for (std::size_t at = 0; at < text.size();) {
            const CodePoint c = decode_at(text, at);
            symbols.push_back({symbol_of(c.value), static_cast<std::uint32_t>(c.bytes)});
            at += c.bytes;
        }
        while (symbols.size() > 2) {
            Merge best{no_rank, 0};
            std::size_t place = 0;
            for (std::size_t i = 0; i + 1 < symbols.size(); ++i) {
                const Merge* const merge = alphabet_.merges.find(
                    static_cast<std::uint32_t>(symbols[i].id), static_cast<std::uint32_t>(symbols[i + 1].id));
                if (merge == nullptr || merge->rank >= best.rank) continue;
                best = *merge;
                place = i;
            }
            if (best.rank == no_rank) return {};
            symbols[place].id = best.id;
            symbols[place].bytes += symbols[place + 1].bytes;
            symbols.erase(symbols.begin() + static_cast<std::ptrdiff_t>(place) + 1);
        }
        return symbols.size() == 2 ? symbols : std::vector<Symbol>();
    }

    Vocabulary vocabulary_;
    Alphabet alphabet_;
    std::vector<std::int32_t> plane_; // code point of the basic plane → symbol
    ByteTrie whole_;                  // the user-defined pieces
    bool has_whole_ = false;
    std::unordered_map<std::int32_t, std::vector<Symbol>> unused_; // unused piece → what it falls into
    std::array<std::int32_t, 256> bytes_{};
    std::optional<std::int32_t> unknown_;
    bool byte_fallback_;
};

} // namespace

Result<std::unique_ptr<Model>> make_scored_bpe(const std::vector<Piece>& pieces, bool byte_fallback,
                                               MergeOrder order, const std::string& where) {
    std::vector<std::string> texts;
    std::vector<PieceKind> kinds;
    for (const Piece& piece : pieces) {
        if (piece.text.empty())
            return fail(Code::malformed, fmt::format("{}: piece {} is empty.", where, texts.size()));
        texts.push_back(piece.text);
        kinds.push_back(piece.kind);
    }
    Vocabulary vocabulary = Vocabulary::listed(std::move(texts));
    Alphabet alphabet(pieces, vocabulary, order);
    return std::make_unique<ScoredBpe>(std::move(vocabulary), std::move(alphabet), kinds, byte_fallback);
}

} // namespace vitrine::tokenizer
