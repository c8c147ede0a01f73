#include "core/tokenizer/gguf_tokenizer.h"

#include <algorithm>
#include <map>
#include <utility>

#include <fmt/format.h>

#include "core/base/hash.h"
#include "core/tokenizer/bpe.h"
#include "core/tokenizer/gguf_pre_tokenizers.h"
#include "core/tokenizer/sentencepiece.h"
#include "core/tokenizer/template_processor.h"
#include "core/tokenizer/unicode.h"
#include "core/tokenizer/word_models.h"

namespace vitrine::tokenizer {

namespace {

constexpr std::string_view word_mark = "\xE2\x96\x81"; // ▁

PieceKind kind_of(const GgufTokenizer& metadata, std::size_t id) {
    if (metadata.kinds.empty()) return PieceKind::normal;
    const std::int32_t kind = metadata.kinds[id];
    return kind >= 1 && kind <= 6 ? static_cast<PieceKind>(kind) : PieceKind::normal;
}

/// Control and user-defined tokens, which are looked for in the text. Phi-3's take the spaces behind them
/// along.
std::vector<AddedToken> added_tokens(const GgufTokenizer& metadata) {
    std::string name = metadata.name;
    std::transform(name.begin(), name.end(), name.begin(),
                   [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
    const bool phi3 = name.find("phi-3") != std::string::npos || name.find("phi3") != std::string::npos;
    std::vector<AddedToken> added;
    for (std::size_t id = 0; id < metadata.tokens.size(); ++id) {
        const PieceKind kind = kind_of(metadata, id);
        if (kind != PieceKind::control && kind != PieceKind::user_defined && kind != PieceKind::unknown)
            continue;
        AddedToken token;
        token.content = metadata.tokens[id];
        token.id = static_cast<std::int32_t>(id);
        token.normalized = false;
        token.special = kind != PieceKind::user_defined;
        token.rstrip =
            phi3 && token.content != "<unk>" && token.content != "<s>" && token.content != "<|endoftext|>";
        added.push_back(std::move(token));
    }
    return added;
}

Result<std::vector<std::int32_t>> ids_if(bool wanted, std::optional<std::int32_t> id, const char* key,
                                         const std::string& where) {
    if (!wanted) return std::vector<std::int32_t>();
    if (!id)
        return fail(Code::malformed,
                    fmt::format("{} asks for {} before or behind a text but names none.", where, key));
    return std::vector{*id};
}

Result<MergeList> split_merges(const std::vector<std::string>& lines, const std::string& where) {
    MergeList merges;
    merges.reserve(lines.size());
    for (const std::string& line : lines) {
        const auto space = line.find(' ', 1);
        if (line.empty() || space == std::string::npos)
            return fail(Code::malformed,
                        fmt::format("{}: merge {} is not a pair of tokens.", where, merges.size() + 1));
        merges.emplace_back(line.substr(0, space), line.substr(space + 1));
    }
    return merges;
}

/// Byte-level BPE: a list of merges, and a way to split words that has a name.
Result<Pipeline> make_byte_level(GgufTokenizer& metadata, const std::string& where) {
    VITRINE_ASSIGN(const GgufPreTokenizer pre, gguf_pre_tokenizer(metadata.pre));
    VITRINE_ASSIGN(const MergeList merges, split_merges(metadata.merges, where));
    LargeJson steps = LargeJson::array();
    for (const auto pattern : pre.patterns)
        steps.push_back(
            {{"type", "Split"}, {"pattern", {{"Regex", std::string(pattern)}}}, {"behavior", "Isolated"}});
    steps.push_back({{"type", "ByteLevel"}, {"add_prefix_space", false}, {"use_regex", false}});
    const LargeJson json{{"pre_tokenizer", {{"type", "Sequence"}, {"pretokenizers", std::move(steps)}}},
                         {"decoder", {{"type", "ByteLevel"}}}};
    auto added = added_tokens(metadata);
    BpeOptions options;
    options.ignore_merges = pre.ignore_merges;
    auto vocabulary = Vocabulary::listed(std::move(metadata.tokens));
    VITRINE_ASSIGN(auto model, make_bpe(std::move(vocabulary), merges, std::move(options), where));
    VITRINE_ASSIGN(Pipeline pipeline, make_pipeline(json, std::move(model), where));
    VITRINE_ASSIGN(pipeline.added,
                   AddedTokens::make(std::move(added), pipeline.model->vocabulary(), nullptr));
    VITRINE_ASSIGN(auto before,
                   ids_if(metadata.add_bos.value_or(pre.add_bos), metadata.bos, "a BOS token", where));
    VITRINE_ASSIGN(auto after, ids_if(metadata.add_eos.value_or(false), metadata.eos, "an EOS token", where));
    pipeline.post_processor = make_surrounding(std::move(before), std::move(after));
    if (metadata.pre.empty() || metadata.pre == "default")
        pipeline.warnings.push_back(
            fmt::format("{} does not say how its tokenizer splits words; a general way is taken.", where));
    return pipeline;
}

/// "llama" (merging by score) and "t5" (Unigram).
Result<Pipeline> make_scored(GgufTokenizer& metadata, const std::string& where) {
    const bool unigram = metadata.model == "t5";
    const bool gemma = metadata.architecture.starts_with("gemma");
    ScoredTokenizer parts;
    parts.file.kind = unigram ? SentencePieceFile::Kind::unigram : SentencePieceFile::Kind::bpe;
    // Gemma's merges go by id whatever the scores say.
    parts.order = gemma ? MergeOrder::by_id : MergeOrder::by_score;
    VITRINE_ASSIGN(parts.file.rules.map, CharMap::read(metadata.char_map, where));
    parts.file.rules.add_dummy_prefix = metadata.add_space_prefix.value_or(!unigram);
    parts.file.rules.remove_extra_whitespaces = metadata.remove_extra_whitespaces.value_or(false);
    VITRINE_ASSIGN(parts.before,
                   ids_if(metadata.add_bos.value_or(!unigram), metadata.bos, "a BOS token", where));
    VITRINE_ASSIGN(parts.after,
                   ids_if(metadata.add_eos.value_or(unigram), metadata.eos, "an EOS token", where));
    parts.added = added_tokens(metadata);
    for (std::size_t id = 0; id < metadata.tokens.size(); ++id) {
        PieceKind kind = kind_of(metadata, id);
        if (kind == PieceKind::user_defined) kind = PieceKind::control; // cut out of the text before
        if (kind == PieceKind::byte) parts.file.byte_fallback = true;
        if (metadata.unknown == static_cast<std::int32_t>(id)) kind = PieceKind::unknown;
        const float score = metadata.scores.empty() ? 0.0F : metadata.scores[id];
        parts.file.pieces.push_back({std::move(metadata.tokens[id]), score, kind});
    }
    return make_scored_pipeline(std::move(parts), where);
}

/// WordPiece. GGUF marks tokens that begin a word with "▁" instead of marking the others with "##".
Result<Pipeline> make_bert(GgufTokenizer& metadata, const std::string& where) {
    const bool lowercase = metadata.lowercase.value_or(true);
    const LargeJson json{{"normalizer", {{"type", "BertNormalizer"}, {"lowercase", lowercase}}},
                         {"pre_tokenizer", {{"type", "BertPreTokenizer"}}},
                         {"decoder", {{"type", "WordPiece"}, {"cleanup", false}}}};
    auto added = added_tokens(metadata);
    const std::size_t unknown = static_cast<std::size_t>(metadata.unknown.value_or(100));
    if (unknown >= metadata.tokens.size())
        return fail(Code::malformed, fmt::format("{} names no unknown token.", where));
    for (std::size_t id = 0; id < metadata.tokens.size(); ++id) {
        std::string& token = metadata.tokens[id];
        if (token.starts_with(word_mark))
            token.erase(0, word_mark.size());
        else if (kind_of(metadata, id) != PieceKind::control &&
                 !(token.starts_with('[') && token.ends_with(']')))
            token.insert(0, "##");
    }
    std::string unknown_text = metadata.tokens[unknown];
    auto model = make_word_piece(Vocabulary::listed(std::move(metadata.tokens)), std::move(unknown_text));
    VITRINE_ASSIGN(Pipeline pipeline, make_pipeline(json, std::move(model), where));
    VITRINE_ASSIGN(pipeline.added, AddedTokens::make(std::move(added), pipeline.model->vocabulary(),
                                                     pipeline.normalizer.get()));
    VITRINE_ASSIGN(auto before, ids_if(metadata.add_bos.value_or(true),
                                       metadata.cls ? metadata.cls : metadata.bos, "a CLS token", where));
    VITRINE_ASSIGN(auto after,
                   ids_if(metadata.add_separator.value_or(true), metadata.separator, "a SEP token", where));
    pipeline.post_processor = make_surrounding(std::move(before), std::move(after));
    return pipeline;
}

Status check(const GgufTokenizer& metadata, const std::string& where) {
    const std::size_t count = metadata.tokens.size();
    if (count == 0)
        return fail(Code::malformed, fmt::format("{} has no tokens (tokenizer.ggml.tokens).", where));
    for (const auto& [length, key] :
         {std::pair{metadata.scores.size(), "scores"}, {metadata.kinds.size(), "token_type"}})
        if (length != 0 && length != count)
            return fail(Code::malformed, fmt::format("{} has {} tokens but {} entries in tokenizer.ggml.{}.",
                                                     where, count, length, key));
    for (const float score : metadata.scores)
        if (!(score > -1e30F && score < 1e30F)) // sums of them must make sense
            return fail(Code::malformed, fmt::format("{}: a token's score is not a usable number.", where));
    for (const auto& token : metadata.tokens)
        if (first_invalid(token))
            return fail(Code::malformed, fmt::format("{}: a token is not valid UTF-8.", where));
    for (const auto& id : {metadata.bos, metadata.eos, metadata.unknown, metadata.separator, metadata.cls})
        if (id && (*id < 0 || static_cast<std::size_t>(*id) >= count))
            return fail(Code::malformed, fmt::format("{} names the special token {}, but has only {} tokens.",
                                                     where, *id, count));
    return {};
}

} // namespace

std::string hash_of(const GgufTokenizer& metadata) {
    Sha256 hash;
    const auto add = [&](std::string_view text) {
        hash.add(fmt::format("{}", text.size()));
        hash.add(std::string_view("\0", 1));
        hash.add(text);
    };
    for (const auto* text :
         {&metadata.architecture, &metadata.name, &metadata.model, &metadata.pre, &metadata.char_map})
        add(*text);
    for (const auto* list : {&metadata.tokens, &metadata.merges})
        for (const auto& text : *list)
            add(text);
    for (const float score : metadata.scores)
        add(fmt::format("{}", score));
    for (const auto kind : metadata.kinds)
        add(fmt::format("{}", kind));
    for (const auto& id : {metadata.bos, metadata.eos, metadata.unknown, metadata.separator, metadata.cls})
        add(id ? fmt::format("{}", *id) : "");
    for (const auto& flag :
         {metadata.add_bos, metadata.add_eos, metadata.add_separator, metadata.add_space_prefix,
          metadata.remove_extra_whitespaces, metadata.lowercase})
        add(flag ? (*flag ? "1" : "0") : "");
    return hash.finish();
}

Result<GgufPipeline> make_gguf_pipeline(GgufTokenizer metadata, const std::string& where) {
    VITRINE_TRY(check(metadata, where));
    // Tokens that are not named are those of Llama's vocabulary.
    const auto or_else = [&](std::optional<std::int32_t>& id, std::int32_t usual) {
        if (!id && static_cast<std::size_t>(usual) < metadata.tokens.size()) id = usual;
    };
    if (metadata.model == "llama") {
        or_else(metadata.bos, 1);
        or_else(metadata.eos, 2);
        or_else(metadata.unknown, 0);
    }
    if (metadata.model == "bert") {
        or_else(metadata.cls, 101);
        or_else(metadata.separator, 102);
    }
    if (metadata.model == "t5") {
        or_else(metadata.eos, 1);
        or_else(metadata.unknown, 2);
    }
    GgufPipeline result;
    result.bos = metadata.bos ? metadata.bos : metadata.cls;
    result.eos = metadata.eos;
    const auto made = [&]() -> Result<Pipeline> {
        if (metadata.model == "gpt2") return make_byte_level(metadata, where);
        if (metadata.model == "llama" || metadata.model == "t5") return make_scored(metadata, where);
        if (metadata.model == "bert") return make_bert(metadata, where);
        return fail(Code::unsupported,
                    fmt::format("{}: Vitrine does not know the tokenizer \"{}\" (tokenizer.ggml.model).",
                                where, metadata.model));
    };
    VITRINE_ASSIGN(result.pipeline, made());
    return result;
}

} // namespace vitrine::tokenizer
