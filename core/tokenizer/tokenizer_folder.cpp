#include "core/tokenizer/tokenizer_folder.h"

#include <array>
#include <charconv>
#include <map>
#include <system_error>
#include <utility>

#include <fmt/format.h>

#include "core/base/hash.h"
#include "core/base/mapped_file.h"
#include "core/tokenizer/bpe.h"

namespace vitrine::tokenizer {

namespace {

namespace fs = std::filesystem;

/// Reads files of one folder and hashes what it reads.
class Reader {
public:
    explicit Reader(fs::path folder) : folder_(std::move(folder)) {}

    bool has(const char* name) const {
        std::error_code ignored;
        return fs::exists(folder_ / name, ignored);
    }

    std::string path(const char* name) const { return (folder_ / name).string(); }

    Result<std::string> text(const char* name) {
        VITRINE_ASSIGN(std::string text, read_text(folder_ / name));
        hash_.add(name);
        hash_.add(std::string_view("\0", 1));
        hash_.add(fmt::format("{}", text.size()));
        hash_.add(std::string_view("\0", 1));
        hash_.add(text);
        return text;
    }

    /// An object, empty if there is no such file.
    Result<LargeJson> object(const char* name) {
        if (!has(name)) return LargeJson::object();
        VITRINE_ASSIGN(const std::string text, this->text(name));
        VITRINE_ASSIGN(LargeJson json, formats::parse_large_json(text, path(name)));
        if (!json.is_object())
            return fail(Code::malformed, fmt::format("{} must hold a JSON object.", path(name)));
        return json;
    }

    std::string hash() { return hash_.finish(); }

private:
    fs::path folder_;
    Sha256 hash_;
};

/// "<s>" or {"content": "<s>", …} under `key`.
std::optional<std::string> special_text(const LargeJson& json, const std::string& key) {
    const auto found = json.find(key);
    if (found == json.end()) return std::nullopt;
    if (found->is_string()) return found->get<std::string>();
    if (!found->is_object()) return std::nullopt;
    const auto content = found->find("content");
    if (content == found->end() || !content->is_string()) return std::nullopt;
    return content->get<std::string>();
}

/// An id, or the first of a list of ids, under `key`.
std::optional<std::int32_t> special_id(const LargeJson& json, const std::string& key) {
    auto found = json.find(key);
    if (found == json.end()) return std::nullopt;
    const LargeJson& id = found->is_array() && !found->empty() ? found->front() : *found;
    if (!id.is_number_unsigned() || id.get<std::uint64_t>() > 0x7FFFFFFFU) return std::nullopt;
    return id.get<std::int32_t>();
}

std::optional<std::int32_t> id_of(const Pipeline& pipeline, const std::string& content) {
    const auto id = pipeline.added.id_of(content);
    return id ? id : pipeline.model->vocabulary().id_of(content);
}

/// Added tokens of a folder without tokenizer.json: those that tokenizer_config.json lists with their ids,
/// else those that the settings name as special.
LargeJson added_tokens_of(const LargeJson& config, const LargeJson& map, const Vocabulary& vocabulary) {
    LargeJson added = LargeJson::array();
    if (const auto listed = config.find("added_tokens_decoder");
        listed != config.end() && listed->is_object()) {
        std::map<std::uint32_t, LargeJson> by_id;
        for (const auto& [key, value] : listed->items()) {
            std::uint32_t id = 0;
            std::from_chars(key.data(), key.data() + key.size(), id);
            if (value.is_object()) by_id.emplace(id, value);
        }
        for (auto& [id, token] : by_id) {
            token["id"] = id & 0x7FFFFFFFU;
            added.push_back(std::move(token));
        }
        return added;
    }
    std::map<std::string, bool> contents;
    for (const char* key : {"bos_token", "eos_token", "unk_token", "pad_token"})
        for (const LargeJson* json : {&config, &map})
            if (const auto content = special_text(*json, key)) contents[*content] = true;
    if (contents.empty() && vocabulary.id_of("<|endoftext|>")) contents["<|endoftext|>"] = true;
    for (const auto& [content, yes] : contents)
        added.push_back({{"content", content},
                         {"special", yes},
                         {"normalized", false},
                         {"id", static_cast<std::uint32_t>(vocabulary.id_of(content).value_or(0))}});
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

/// A byte-level BPE in two files, as GPT-2 was published.
Result<Pipeline> read_two_files(Reader& reader, const char* vocab_name, const char* merges_name,
                                const LargeJson& config, const LargeJson& map) {
    VITRINE_ASSIGN(const LargeJson vocab, reader.object(vocab_name));
    VITRINE_ASSIGN(Vocabulary vocabulary, Vocabulary::read(vocab, reader.path(vocab_name)));
    VITRINE_ASSIGN(const std::string lines, reader.text(merges_name));
    VITRINE_ASSIGN(const MergeList merges, read_merge_lines(lines, reader.path(merges_name)));

    const auto prefix_space = config.find("add_prefix_space");
    LargeJson json{{"pre_tokenizer",
                    {{"type", "ByteLevel"},
                     {"add_prefix_space", prefix_space != config.end() && *prefix_space == true}}},
                   {"post_processor", {{"type", "ByteLevel"}, {"trim_offsets", false}}},
                   {"decoder", {{"type", "ByteLevel"}}},
                   {"added_tokens", added_tokens_of(config, map, vocabulary)}};
    VITRINE_ASSIGN(auto model, make_bpe(std::move(vocabulary), merges, {}, reader.path(merges_name)));
    return make_pipeline(json, std::move(model), reader.path(vocab_name));
}

Result<Pipeline> read_any(Reader& reader, const LargeJson& config, const LargeJson& map,
                          const fs::path& folder) {
    if (reader.has("tokenizer.json")) {
        VITRINE_ASSIGN(const std::string text, reader.text("tokenizer.json"));
        return read_pipeline(text, reader.path("tokenizer.json"));
    }
    constexpr std::array<std::pair<const char*, const char*>, 2> pairs{
        {{"vocab.json", "merges.txt"}, {"encoder.json", "vocab.bpe"}}};
    for (const auto& [vocab, merges] : pairs) {
        if (!reader.has(vocab)) continue;
        if (!reader.has(merges))
            return fail(Code::not_found, fmt::format("{} has {} but not {}, which belongs to it.",
                                                     folder.string(), vocab, merges));
        return read_two_files(reader, vocab, merges, config, map);
    }
    return fail(Code::not_found,
                fmt::format("{} has no tokenizer: neither tokenizer.json nor vocab.json with "
                            "merges.txt.",
                            folder.string()));
}

} // namespace

Result<TokenizerFolder> read_tokenizer_folder(const fs::path& folder) {
    std::error_code ignored;
    if (!fs::is_directory(folder, ignored))
        return fail(Code::not_found, fmt::format("There is no folder {}.", folder.string()));
    Reader reader(folder);
    Reader unhashed(folder); // these describe the model as well
    VITRINE_ASSIGN(const LargeJson config, reader.object("tokenizer_config.json"));
    VITRINE_ASSIGN(const LargeJson map, reader.object("special_tokens_map.json"));
    VITRINE_ASSIGN(const LargeJson generation, unhashed.object("generation_config.json"));
    VITRINE_ASSIGN(const LargeJson model, unhashed.object("config.json"));

    TokenizerFolder result;
    VITRINE_ASSIGN(result.pipeline, read_any(reader, config, map, folder));
    const auto find = [&](const std::string& name) -> std::optional<std::int32_t> {
        for (const LargeJson* json : {&config, &map})
            if (const auto text = special_text(*json, name + "_token"))
                if (const auto id = id_of(result.pipeline, *text)) return id;
        for (const LargeJson* json : {&generation, &model})
            if (const auto id = special_id(*json, name + "_token_id")) return id;
        // GPT-2's two files come without settings.
        return reader.has("tokenizer.json") ? std::nullopt : id_of(result.pipeline, "<|endoftext|>");
    };
    result.bos = find("bos");
    result.eos = find("eos");
    result.hash = reader.hash();
    return result;
}

} // namespace vitrine::tokenizer
