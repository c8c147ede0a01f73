#pragma once
#include <cstddef>
#include <optional>
#include <string_view>

#include "core/base/result.h"

namespace vitrine {

/// Byte offset of the first byte that is not part of well-formed UTF-8 (Unicode 15, table 3-7: no overlong
/// forms, no surrogates, nothing above U+10FFFF); nullopt if there is none.
std::optional<std::size_t> invalid_utf8_at(std::string_view text);

/// malformed with the offset if `text` is not UTF-8; `what` starts the sentence ("The prompt").
Status check_utf8(std::string_view text, std::string_view what);

} // namespace vitrine
