#pragma once
#include <string_view>

#include <nlohmann/json.hpp>

#include "core/base/result.h"

namespace vitrine::formats {

/// JSON whose objects may be huge: members are found by binary search and come sorted. The program's usual
/// Json keeps the order of keys and searches linearly, which is quadratic in a vocabulary.
using LargeJson = nlohmann::json;

/// `what` names the text in the error sentence (malformed, with the byte).
Result<LargeJson> parse_large_json(std::string_view text, std::string_view what);

} // namespace vitrine::formats
