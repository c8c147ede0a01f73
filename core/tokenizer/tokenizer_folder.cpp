#include "core/tokenizer/tokenizer_folder.h"

#include <array>
#include <system_error>
#include <utility>

#include <fmt/format.h>

#include "core/tokenizer/folder_formats.h"
#include "core/tokenizer/folder_reader.h"

namespace vitrine::tokenizer {

namespace {

namespace fs = std::filesystem;

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

/// The one file of the folder that ends in ".model", or the one with a usual name.
std::optional<std::string> sentencepiece_name(const FolderReader& reader) {
    for (const char* name : {"tokenizer.model", "spiece.model", "sentencepiece.bpe.model"})
        if (reader.has(name)) return name;
    std::vector<std::string> names;
    std::error_code ignored;
    for (const auto& entry : fs::directory_iterator(reader.folder(), ignored))
        if (entry.path().extension() == ".model") names.push_back(entry.path().filename().string());
    if (names.size() != 1) return std::nullopt;
    return names.front();
}

Result<Pipeline> read_any(FolderReader& reader, const FolderSettings& settings) {
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
                                                     reader.folder().string(), vocab, merges));
        return read_two_files(reader, vocab, merges, settings);
    }
    if (const auto name = sentencepiece_name(reader))
        return read_sentencepiece_model(reader, *name, settings);
    if (reader.has("vocab.txt")) return read_vocab_txt(reader, settings);
    return fail(Code::not_found,
                fmt::format("{} has no tokenizer: neither tokenizer.json nor vocab.json with merges.txt, "
                            "tokenizer.model or vocab.txt.",
                            reader.folder().string()));
}

} // namespace

Result<TokenizerFolder> read_tokenizer_folder(const fs::path& folder) {
    std::error_code ignored;
    if (!fs::is_directory(folder, ignored))
        return fail(Code::not_found, fmt::format("There is no folder {}.", folder.string()));
    FolderReader reader(folder);
    FolderReader unhashed(folder); // these describe the model as well
    FolderSettings settings;
    VITRINE_ASSIGN(settings.config, reader.object("tokenizer_config.json"));
    VITRINE_ASSIGN(settings.map, reader.object("special_tokens_map.json"));
    if (!reader.has("tokenizer.json")) {
        VITRINE_ASSIGN(settings.added, reader.object("added_tokens.json"));
    }
    VITRINE_ASSIGN(const LargeJson generation, unhashed.object("generation_config.json"));
    VITRINE_ASSIGN(settings.model, unhashed.object("config.json"));

    TokenizerFolder result;
    VITRINE_ASSIGN(result.pipeline, read_any(reader, settings));
    const auto find = [&](const std::string& name) -> std::optional<std::int32_t> {
        for (const LargeJson* json : {&settings.config, &settings.map})
            if (const auto text = special_text(*json, name + "_token"))
                if (const auto id = id_of(result.pipeline, *text)) return id;
        for (const LargeJson* json : std::array{&generation, static_cast<const LargeJson*>(&settings.model)})
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
