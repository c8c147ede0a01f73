#include "core/formats/large_json.h"

#include <fmt/format.h>

namespace vitrine::formats {

Result<LargeJson> parse_large_json(std::string_view text, std::string_view what) {
    try {
        return LargeJson::parse(text.begin(), text.end());
    } catch (const nlohmann::json::parse_error& error) {
        return fail(Code::malformed, fmt::format("{} is not valid JSON: byte {}.", what, error.byte));
    } catch (const nlohmann::json::exception&) {
        return fail(Code::malformed, fmt::format("{} is not valid JSON.", what));
    }
}

} // namespace vitrine::formats
