#include "core/formats/large_json.h"

#include <fmt/format.h>

#include "core/formats/json_depth.h"

namespace vitrine::formats {

bool nests_deeper_than(std::string_view text, int levels) {
    int level = 0;
    bool in_string = false;
    for (std::size_t i = 0; i < text.size(); ++i) {
        const char c = text[i];
        if (c == '"')
            in_string = !in_string;
        else if (in_string && c == '\\')
            ++i;
        else if (!in_string && (c == '[' || c == '{') && ++level > levels)
            return true;
        else if (!in_string && (c == ']' || c == '}'))
            --level;
    }
    return false;
}

Result<LargeJson> parse_large_json(std::string_view text, std::string_view what) {
    if (nests_deeper_than(text, deepest_json))
        return fail(Code::too_large, fmt::format("{} is nested deeper than {} levels.", what, deepest_json));
    try {
        return LargeJson::parse(text.begin(), text.end());
    } catch (const nlohmann::json::parse_error& error) {
        return fail(Code::malformed, fmt::format("{} is not valid JSON: byte {}.", what, error.byte));
    } catch (const nlohmann::json::exception&) {
        return fail(Code::malformed, fmt::format("{} is not valid JSON.", what));
    }
}

} // namespace vitrine::formats
