#pragma once
#include <filesystem>
#include <optional>
#include <string>

#include "core/base/hash.h"
#include "core/base/result.h"
#include "core/formats/large_json.h"

namespace vitrine::tokenizer {

using formats::LargeJson;

/// Reads files of one folder and hashes what it reads.
class FolderReader {
public:
    explicit FolderReader(std::filesystem::path folder) : folder_(std::move(folder)) {}

    bool has(const std::string& name) const;
    std::string path(const std::string& name) const { return (folder_ / name).string(); }
    const std::filesystem::path& folder() const { return folder_; }

    Result<std::string> text(const std::string& name);

    /// An object, empty if there is no such file.
    Result<LargeJson> object(const std::string& name);

    std::string hash() { return hash_.finish(); }

private:
    std::filesystem::path folder_;
    Sha256 hash_;
};

/// "<s>" or {"content": "<s>", …} under `key`.
std::optional<std::string> special_text(const LargeJson& json, const std::string& key);

} // namespace vitrine::tokenizer
