#include "core/base/json.h"

#include <algorithm>

#include <fmt/format.h>

#include "core/base/mapped_file.h"

namespace vitrine {

Result<Json> parse_json(std::string_view text, std::string_view what) {
    try {
        return Json::parse(text.begin(), text.end());
    } catch (const nlohmann::json::parse_error& error) {
        const auto end = text.begin() + static_cast<std::ptrdiff_t>(std::min(error.byte, text.size()));
        const auto line = 1 + std::count(text.begin(), end, '\n');
        return fail(Code::malformed,
                    fmt::format("{} is not valid JSON: line {}, byte {}.", what, line, error.byte));
    } catch (const nlohmann::json::exception&) {
        return fail(Code::malformed, fmt::format("{} is not valid JSON.", what));
    }
}

Result<Json> read_json(const std::filesystem::path& path) {
    VITRINE_ASSIGN(const std::string text, read_text(path));
    return parse_json(text, path.string());
}

std::string dump_json(const Json& json, int indent) {
    return json.dump(indent, ' ', false, Json::error_handler_t::replace);
}

std::string canonical_json(const Json& json) {
    const nlohmann::json sorted = json; // its objects are ordered maps
    return sorted.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

} // namespace vitrine
