#pragma once
#include <filesystem>
#include <optional>
#include <vector>

#include "core/base/json.h"
#include "core/base/result.h"

namespace vitrine::formats {

/// What describes a model in a Hugging Face folder, weights aside. What the configuration means is up to
/// core/model.
struct HfFolder {
    std::filesystem::path path;
    Json config;                           ///< config.json, an object
    std::optional<Json> generation_config; ///< generation_config.json, an object, if there is one
    std::vector<std::filesystem::path> tokenizer_files; ///< those that exist, of every known naming
};

/// Errors: not_found (no such folder, no config.json), io (not a folder), malformed (broken JSON, no object).
Result<HfFolder> open_hf_folder(const std::filesystem::path& path);

/// Files of this folder that describe a tokenizer, in a fixed order.
std::vector<std::filesystem::path> tokenizer_files_in(const std::filesystem::path& folder);

/// Whether one of them holds tokens: settings such as tokenizer_config.json may lie there without.
bool has_vocabulary(const std::filesystem::path& folder);

} // namespace vitrine::formats
