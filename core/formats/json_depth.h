#pragma once
#include <string_view>

namespace vitrine::formats {

/// Levels of nesting that any file of a model may have.
constexpr int deepest_json = 100;

/// True if objects and lists in this JSON text lie within one another more than `levels` deep. Copying and
/// comparing such a document recurses, so that a file of brackets could overflow the stack.
bool nests_deeper_than(std::string_view text, int levels);

} // namespace vitrine::formats
