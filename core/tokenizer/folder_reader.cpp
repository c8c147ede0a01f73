#include "core/tokenizer/folder_reader.h"

#include <system_error>

#include <fmt/format.h>

#include "core/base/mapped_file.h"

namespace vitrine::tokenizer {

bool FolderReader::has(const std::string& name) const {
    std::error_code ignored;
    return std::filesystem::exists(folder_ / name, ignored);
}

Result<std::string> FolderReader::text(const std::string& name) {
    VITRINE_ASSIGN(std::string text, read_text(folder_ / name));
    hash_.add(name);
    hash_.add(std::string_view("\0", 1));
    hash_.add(fmt::format("{}", text.size()));
    hash_.add(std::string_view("\0", 1));
    hash_.add(text);
    return text;
}

Result<LargeJson> FolderReader::object(const std::string& name) {
    if (!has(name)) return LargeJson::object();
    VITRINE_ASSIGN(const std::string text, this->text(name));
    VITRINE_ASSIGN(LargeJson json, formats::parse_large_json(text, path(name)));
    if (!json.is_object())
        return fail(Code::malformed, fmt::format("{} must hold a JSON object.", path(name)));
    return json;
}

std::optional<std::string> special_text(const LargeJson& json, const std::string& key) {
    const auto found = json.find(key);
    if (found == json.end()) return std::nullopt;
    if (found->is_string()) return found->get<std::string>();
    if (!found->is_object()) return std::nullopt;
    const auto content = found->find("content");
    if (content == found->end() || !content->is_string()) return std::nullopt;
    return content->get<std::string>();
}

} // namespace vitrine::tokenizer
