#include "core/formats/hf_config.h"

#include <algorithm>
#include <array>
#include <set>
#include <system_error>

#include <fmt/format.h>

#include "core/base/mapped_file.h"
#include "core/formats/json_depth.h"

namespace vitrine::formats {

namespace {

namespace fs = std::filesystem;

constexpr std::size_t largest_config = std::size_t{4} << 20;

Result<Json> read_object(const fs::path& path) {
    VITRINE_ASSIGN(const std::string text, read_text(path, largest_config));
    if (nests_deeper_than(text, deepest_json))
        return fail(Code::too_large,
                    fmt::format("{} is nested deeper than {} levels.", path.string(), deepest_json));
    VITRINE_ASSIGN(Json json, parse_json(text, path.string()));
    if (!json.is_object())
        return fail(Code::malformed,
                    fmt::format("{} must hold a JSON object, but holds something else.", path.string()));
    return json;
}

} // namespace

std::vector<fs::path> tokenizer_files_in(const fs::path& folder) {
    static constexpr std::array names{"tokenizer.json",
                                      "vocab.json",
                                      "merges.txt",
                                      "encoder.json",
                                      "vocab.bpe",
                                      "tokenizer.model",
                                      "spiece.model",
                                      "sentencepiece.bpe.model",
                                      "vocab.txt",
                                      "added_tokens.json",
                                      "tokenizer_config.json",
                                      "special_tokens_map.json"};
    std::vector<fs::path> found;
    std::error_code ignored;
    for (const char* name : names)
        if (fs::is_regular_file(folder / name, ignored)) found.push_back(folder / name);
    return found;
}

bool has_vocabulary(const fs::path& folder) {
    static const std::set<std::string> settings{"added_tokens.json", "tokenizer_config.json",
                                                "special_tokens_map.json"};
    const auto files = tokenizer_files_in(folder);
    return std::any_of(files.begin(), files.end(),
                       [](const fs::path& file) { return settings.count(file.filename().string()) == 0; });
}

Result<HfFolder> open_hf_folder(const fs::path& path) {
    std::error_code error;
    const auto status = fs::status(path, error);
    if (status.type() == fs::file_type::not_found)
        return fail(Code::not_found, fmt::format("There is no folder {}.", path.string()));
    if (!fs::is_directory(status))
        return fail(Code::io,
                    fmt::format("{} is not a folder that can be read; a model in Hugging Face form is a "
                                "folder with config.json.",
                                path.string()));
    if (!fs::exists(path / "config.json", error))
        return fail(
            Code::not_found,
            fmt::format("{} has no config.json, so it is not a model in Hugging Face form.", path.string()));
    HfFolder folder;
    folder.path = path;
    VITRINE_ASSIGN(folder.config, read_object(path / "config.json"));
    if (fs::exists(path / "generation_config.json", error)) {
        VITRINE_ASSIGN(folder.generation_config, read_object(path / "generation_config.json"));
    }
    folder.tokenizer_files = tokenizer_files_in(path);
    return folder;
}

} // namespace vitrine::formats
