#pragma once
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/result.h"
#include "core/tokenizer/component.h"
#include "core/tokenizer/regex.h"

namespace vitrine::tokenizer {

/// What becomes of the matches when a text is split at them; names as in tokenizer.json.
enum class SplitBehaviour { removed, isolated, merged_with_previous, merged_with_next, contiguous };

/// "Isolated" …; malformed for another name.
Result<SplitBehaviour> read_behaviour(const Component& component, const char* key, SplitBehaviour fallback);

/// All matches from left to right, without an empty match right behind another.
Result<std::vector<Range>> find_all(const Pattern& pattern, std::string_view text);

/// Each character that fits, by itself.
std::vector<Range> find_characters(std::string_view text, bool (*fits)(char32_t));

/// Splits `text` at `matches` (or, inverted, at what lies between them) and appends the parts, shifted by
/// `offset`, that are not empty.
void split_at(std::string_view text, const std::vector<Range>& matches, SplitBehaviour behaviour, bool invert,
              std::size_t offset, std::vector<Range>& parts);

} // namespace vitrine::tokenizer
