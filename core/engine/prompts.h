#pragma once
// Files of prompts: plain lines, JSON lines, CSV with a header.
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/json.h"
#include "core/base/result.h"

namespace vitrine::engine {

/// One row as its file gives it: a text or ids, and the other fields of its line ("answer", "position", …).
struct PromptLine {
    std::string text;
    std::optional<std::vector<std::int32_t>> ids; ///< instead of the text
    Json fields = Json::object();
    std::string role;  ///< "clean" or "corrupted" of a pair; else empty
    std::string where; ///< "FILE, line 3", for messages
};

/// Reads a file of prompts. `.csv`: comma-separated with a header, quoted as RFC 4180 says, columns named as
/// in prompt_columns.h; `.jsonl`, `.ndjson`, `.json`: one object a line, split on "\n" only; otherwise plain
/// lines, unless every line is a JSON object with a prompt. Rows have "prompt" or "ids", or "clean" and
/// "corrupted", which make two rows in this order. Lines without characters are left out. Errors: not_found,
/// io, malformed (with line, or with the byte offset of what is no UTF-8).
Result<std::vector<PromptLine>> read_prompts(const std::filesystem::path& path);

/// The same from a text; `name` stands in the error sentences, its extension decides the form.
Result<std::vector<PromptLine>> parse_prompts(std::string_view text, const std::filesystem::path& name);

/// "1,2,3": usage if a number is missing or not an int32.
Result<std::vector<std::int32_t>> parse_ids(std::string_view text);

} // namespace vitrine::engine
