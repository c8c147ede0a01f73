#include <algorithm>

#include <fmt/format.h>

#include "core/chat/builtins.h"
#include "core/chat/text.h"

namespace vitrine::chat {

Result<bool> apply_test(std::string_view name, const Value& value, const Arguments& arguments) {
    const auto other = [&] {
        const Value* const given = arguments.find(0, "other");
        return given != nullptr ? *given : Value();
    };
    if (name == "defined") return !value.is_undefined();
    if (name == "undefined") return value.is_undefined();
    if (name == "none") return value.is_none();
    if (name == "string") return value.text() != nullptr;
    if (name == "number") return value.is_number();
    if (name == "integer") return value.is_integer();
    if (name == "float") return value.is_float();
    if (name == "boolean") return value.truth() != nullptr;
    if (name == "true") return value.truth() != nullptr && *value.truth();
    if (name == "false") return value.truth() != nullptr && !*value.truth();
    if (name == "mapping") return value.dict() != nullptr;
    const bool sequence = value.list() != nullptr || value.text() != nullptr || value.dict() != nullptr;
    if (name == "sequence") return sequence;
    if (name == "iterable") return sequence || value.is_undefined();
    if (name == "callable") return value.function() != nullptr;
    if (name == "eq" || name == "equalto") return value == other();
    if (name == "ne") return !(value == other());
    if (name == "sameas") return value.kind() == other().kind() && value == other();
    if (name == "in") return compare("in", value, other());
    if (name == "lt" || name == "lessthan") return compare("<", value, other());
    if (name == "le") return compare("<=", value, other());
    if (name == "gt" || name == "greaterthan") return compare(">", value, other());
    if (name == "ge") return compare(">=", value, other());
    if (name == "odd" || name == "even" || name == "divisibleby") {
        const Value by = name == "divisibleby" ? other() : Value(std::int64_t{2});
        VITRINE_ASSIGN(const Value rest, operate("%", value, by));
        return (rest.as_double() == 0) == (name != "odd");
    }
    if (name == "lower" || name == "upper") {
        const std::string text = value.printed();
        return (name == "lower" ? lower(text) : upper(text)) == text && lower(text) != upper(text);
    }
    return fail(Code::unsupported, fmt::format("the test \"{}\" is unknown to Vitrine", name));
}

} // namespace vitrine::chat
