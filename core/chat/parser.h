#pragma once
#include <string_view>

#include "core/base/result.h"
#include "core/chat/syntax.h"

namespace vitrine::chat {

/// The statements of a template; malformed with the line, unsupported for a tag that chat templates do not
/// use.
Result<Block> parse(std::string_view source);

} // namespace vitrine::chat
