#include "core/tokenizer/folder_formats.h"

#include <algorithm>
#include <charconv>
#include <map>
#include <utility>

#include <fmt/format.h>

#include "core/tokenizer/bpe.h"
#include "core/tokenizer/gguf_pre_tokenizers.h"
#include "core/tokenizer/sentencepiece.h"
#include "core/tokenizer/template_processor.h"
#include "core/tokenizer/unicode.h"
#include "core/tokenizer/word_models.h"

namespace vitrine::tokenizer {

namespace {

bool flag(const LargeJson& json, const char* key, bool fallback) {
    const auto found = json.find(key);
    return found != json.end() && found->is_boolean() ? found->get<bool>() : fallback;
}

std::string text_or_empty(const LargeJson& json, const char* key) {
    const auto found = json.find(key);
    return found != json.end() && found->is_string() ? found->get<std::string>() : std::string();
}

/// Added tokens of a folder without tokenizer.json, by id: those that tokenizer_config.json lists with their
/// ids, else those of added_tokens.json and those that the settings name as special.
LargeJson added_tokens_of(const FolderSettings& settings, const Vocabulary& vocabulary) {
    std::map<std::uint32_t, LargeJson> by_id;
    if (const auto listed = settings.config.find("added_tokens_decoder");
        listed != settings.config.end() && listed->is_object()) {
        for (const auto& [key, value] : listed->items()) {
            std::uint32_t id = 0;
            std::from_chars(key.data(), key.data() + key.size(), id);
            if (value.is_object()) by_id.emplace(id & 0x7FFFFFFFU, value);
        }
    } else {
        for (const auto& [content, id] : settings.added.items())
            if (id.is_number_unsigned() && id.get<std::uint64_t>() <= 0x7FFFFFFFU)
                by_id[id.get<std::uint32_t>()] = {{"content", content}, {"normalized", true}};
        const auto add_special = [&](const LargeJson& json) {
            const LargeJson named{{"t", json}};
            const auto content = special_text(named, "t");
            if (!content) return;
            auto id = vocabulary.id_of(*content);
            for (const auto& [known, token] : by_id)
                if (token["content"] == *content) id = static_cast<std::int32_t>(known);
            if (id)
                by_id[static_cast<std::uint32_t>(*id)] = {
                    {"content", *content}, {"special", true}, {"normalized", false}};
        };
        for (const LargeJson* json : {&settings.config, &settings.map}) {
            for (const char* key :
                 {"bos_token", "eos_token", "unk_token", "pad_token", "cls_token", "sep_token", "mask_token"})
                if (const auto found = json->find(key); found != json->end()) add_special(*found);
            if (const auto more = json->find("additional_special_tokens");
                more != json->end() && more->is_array())
                for (const auto& token : *more)
                    add_special(token);
        }
        if (by_id.empty()) add_special("<|endoftext|>");
    }
    LargeJson added = LargeJson::array();
    for (auto& [id, token] : by_id) {
        token["id"] = id;
        added.push_back(std::move(token));
    }
    return added;
}

Result<MergeList> read_merge_lines(std::string_view text, const std::string& where) {
    MergeList merges;
    std::size_t line = 0;
    while (!text.empty()) {
        const auto end = std::min(text.find('\n'), text.size());
        std::string_view row = text.substr(0, end);
        text.remove_prefix(std::min(end + 1, text.size()));
        ++line;
        if (row.ends_with('\r')) row.remove_suffix(1);
        if (row.empty() || row.starts_with("#version")) continue;
        const auto space = row.find(' ');
        if (space == std::string_view::npos || row.find(' ', space + 1) != std::string_view::npos)
            return fail(Code::malformed, fmt::format("{}: line {} is not a pair of tokens.", where, line));
        merges.emplace_back(row.substr(0, space), row.substr(space + 1));
    }
    if (merges.empty()) return fail(Code::malformed, fmt::format("{} has no merges.", where));
    return merges;
}

/// The words of GPT-2, or of Qwen 2, which has other patterns and composes characters first.
Result<LargeJson> word_splitting(const FolderSettings& settings) {
    const std::string kind = text_or_empty(settings.config, "tokenizer_class");
    if (kind.starts_with("Qwen2Tokenizer")) {
        VITRINE_ASSIGN(const GgufPreTokenizer qwen, gguf_pre_tokenizer("qwen2"));
        const LargeJson split{{"type", "Split"},
                              {"pattern", {{"Regex", std::string(qwen.patterns.front())}}},
                              {"behavior", "Isolated"}};
        const LargeJson bytes{{"type", "ByteLevel"}, {"add_prefix_space", false}, {"use_regex", false}};
        return LargeJson{
            {"normalizer", {{"type", "NFC"}}},
            {"pre_tokenizer", {{"type", "Sequence"}, {"pretokenizers", LargeJson::array({split, bytes})}}}};
    }
    const bool prefix_space = flag(settings.config, "add_prefix_space", false);
    return LargeJson{{"pre_tokenizer", {{"type", "ByteLevel"}, {"add_prefix_space", prefix_space}}}};
}

/// The id of the token that tokenizer_config.json names under `key`, if it also wants it put around texts.
std::vector<std::int32_t> wanted_id(const LargeJson& config, const LargeJson& map, const char* flag_key,
                                    const char* token_key, bool usual, const Vocabulary& vocabulary) {
    if (!flag(config, flag_key, usual)) return {};
    auto text = special_text(config, token_key);
    if (!text) text = special_text(map, token_key);
    const auto id = text ? vocabulary.id_of(*text) : std::nullopt;
    return id ? std::vector{*id} : std::vector<std::int32_t>();
}

} // namespace

Result<Pipeline> read_two_files(FolderReader& reader, const std::string& vocab_name,
                                const std::string& merges_name, const FolderSettings& settings) {
    VITRINE_ASSIGN(const LargeJson vocab, reader.object(vocab_name));
    VITRINE_ASSIGN(Vocabulary vocabulary, Vocabulary::read(vocab, reader.path(vocab_name)));
    VITRINE_ASSIGN(const std::string lines, reader.text(merges_name));
    VITRINE_ASSIGN(const MergeList merges, read_merge_lines(lines, reader.path(merges_name)));
    VITRINE_ASSIGN(LargeJson json, word_splitting(settings));
    json["post_processor"] = {{"type", "ByteLevel"}, {"trim_offsets", false}};
    json["decoder"] = {{"type", "ByteLevel"}};
    json["added_tokens"] = added_tokens_of(settings, vocabulary);
    auto before = wanted_id(settings.config, settings.map, "add_bos_token", "bos_token", false, vocabulary);
    auto after = wanted_id(settings.config, settings.map, "add_eos_token", "eos_token", false, vocabulary);
    VITRINE_ASSIGN(auto model, make_bpe(std::move(vocabulary), merges, {}, reader.path(merges_name)));
    VITRINE_ASSIGN(Pipeline pipeline, make_pipeline(json, std::move(model), reader.path(vocab_name)));
    if (!before.empty() || !after.empty()) // spans are not trimmed, so nothing of the other is lost
        pipeline.post_processor = make_surrounding(std::move(before), std::move(after));
    return pipeline;
}

Result<Pipeline> read_sentencepiece_model(FolderReader& reader, const std::string& name,
                                          const FolderSettings& settings) {
    const std::string where = reader.path(name);
    VITRINE_ASSIGN(const std::string bytes, reader.text(name));
    ScoredTokenizer parts;
    VITRINE_ASSIGN(parts.file, read_sentencepiece(bytes, where));
    const LargeJson& config = settings.config;
    parts.file.rules.add_dummy_prefix = flag(config, "add_prefix_space", parts.file.rules.add_dummy_prefix);
    // "legacy": each part between special tokens gets its space, else only the first.
    parts.file.rules.prefix_only_at_start = !flag(config, "legacy", true);
    const std::string kind =
        text_or_empty(config, "tokenizer_class") + text_or_empty(settings.model, "model_type");
    const auto is = [&](const char* family) { return kind.find(family) != std::string::npos; };
    const bool has_bos = is("lama") || is("emma") || is("istral");
    if (parts.file.bos && flag(config, "add_bos_token", has_bos)) parts.before = {*parts.file.bos};
    if (parts.file.eos && flag(config, "add_eos_token", is("T5") || is("t5")))
        parts.after = {*parts.file.eos};
    if (const auto listed = config.find("added_tokens_decoder"); listed != config.end()) {
        std::vector<std::string> texts;
        for (const Piece& piece : parts.file.pieces)
            texts.push_back(piece.text);
        const LargeJson added = added_tokens_of(settings, Vocabulary::listed(std::move(texts)));
        VITRINE_ASSIGN(parts.added, read_added_tokens(added, reader.path("tokenizer_config.json")));
    }
    return make_scored_pipeline(std::move(parts), where);
}

Result<Pipeline> read_vocab_txt(FolderReader& reader, const FolderSettings& settings) {
    const std::string where = reader.path("vocab.txt");
    VITRINE_ASSIGN(const std::string text, reader.text("vocab.txt"));
    if (const auto at = first_invalid(text))
        return fail(Code::malformed, fmt::format("{} is not valid UTF-8 at byte {}.", where, *at));
    std::vector<std::string> tokens;
    for (std::string_view rest = text; !rest.empty();) {
        const auto end = std::min(rest.find('\n'), rest.size());
        std::string_view line = rest.substr(0, end);
        if (line.ends_with('\r')) line.remove_suffix(1);
        tokens.emplace_back(line);
        rest.remove_prefix(std::min(end + 1, rest.size()));
    }
    if (tokens.empty()) return fail(Code::malformed, fmt::format("{} has no tokens.", where));
    Vocabulary vocabulary = Vocabulary::listed(std::move(tokens));
    const LargeJson& config = settings.config;
    const auto strips = config.find("strip_accents");
    LargeJson json{{"normalizer",
                    {{"type", "BertNormalizer"},
                     {"lowercase", flag(config, "do_lower_case", true)},
                     {"handle_chinese_chars", flag(config, "tokenize_chinese_chars", true)},
                     {"strip_accents", strips == config.end() ? LargeJson() : *strips}}},
                   {"pre_tokenizer", {{"type", "BertPreTokenizer"}}},
                   {"decoder", {{"type", "WordPiece"}}},
                   {"added_tokens", LargeJson::array()}};
    const auto named = [&](const char* key, const char* usual) {
        return special_text(config, key).value_or(special_text(settings.map, key).value_or(usual));
    };
    for (const auto& [key, usual] : {std::pair{"unk_token", "[UNK]"},
                                     {"sep_token", "[SEP]"},
                                     {"pad_token", "[PAD]"},
                                     {"cls_token", "[CLS]"},
                                     {"mask_token", "[MASK]"}}) {
        const std::string content = named(key, usual);
        const auto id = vocabulary.id_of(content);
        if (id)
            json["added_tokens"].push_back({{"content", content},
                                            {"special", true},
                                            {"normalized", false},
                                            {"id", static_cast<std::uint32_t>(*id)}});
    }
    const auto before = vocabulary.id_of(named("cls_token", "[CLS]"));
    const auto after = vocabulary.id_of(named("sep_token", "[SEP]"));
    VITRINE_ASSIGN(
        Pipeline pipeline,
        make_pipeline(json, make_word_piece(std::move(vocabulary), named("unk_token", "[UNK]")), where));
    if (before && after) pipeline.post_processor = make_surrounding({*before}, {*after});
    return pipeline;
}

} // namespace vitrine::tokenizer
