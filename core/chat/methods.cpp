#include <algorithm>
#include <unordered_map>

#include <fmt/format.h>

#include "core/chat/builtins.h"
#include "core/chat/text.h"

namespace vitrine::chat {

namespace {

using TextMethod = Result<Value> (*)(const std::string&, const Arguments&);

std::optional<std::string_view> given_text(const Arguments& arguments, std::size_t place,
                                           std::string_view name) {
    const Value* const value = arguments.find(place, name);
    if (value == nullptr || value->text() == nullptr) return std::nullopt;
    return *value->text();
}

std::int64_t given_integer(const Arguments& arguments, std::size_t place, std::string_view name,
                           std::int64_t fallback) {
    const Value* const value = arguments.find(place, name);
    return value != nullptr && value->integer() != nullptr ? *value->integer() : fallback;
}

Value texts(const std::vector<std::string>& parts) {
    List list;
    for (const auto& part : parts)
        list.emplace_back(part);
    return Value(std::move(list));
}

/// startswith and endswith take one text or several.
template <typename Fits>
Result<Value> any_text(const Arguments& arguments, Fits fits) {
    const Value* const value = arguments.find(0, "prefix");
    if (value == nullptr) return fail(Code::malformed, "an argument is missing");
    if (value->text() != nullptr) return Value(fits(*value->text()));
    VITRINE_ASSIGN(const List list, values_of(*value));
    return Value(
        std::any_of(list.begin(), list.end(), [&](const Value& one) { return fits(one.printed()); }));
}

template <typename Fits>
Result<Value> all_characters(const std::string& text, Fits fits) {
    const auto all = characters(text);
    return Value(!all.empty() && std::all_of(all.begin(), all.end(), fits));
}

/// "{} and {name}".format(…), without format specifications.
Result<Value> format_text(const std::string& text, const Arguments& arguments) {
    std::string result;
    std::size_t next = 0;
    for (std::size_t at = 0; at < text.size() && result.size() <= largest_value; ++at) {
        if (text.substr(at, 2) == "{{" || text.substr(at, 2) == "}}") {
            result += text[at++];
            continue;
        }
        if (text[at] != '{') {
            result += text[at];
            continue;
        }
        const std::size_t end = text.find('}', at);
        if (end == std::string::npos) return fail(Code::malformed, "\"format\" has a \"{\" without \"}\"");
        const std::string name = text.substr(at + 1, end - at - 1);
        const Value* const value =
            name.empty() ? arguments.find(next++, "") : arguments.find(arguments.places.size(), name);
        if (value == nullptr)
            return fail(Code::malformed, fmt::format("\"format\" has no value for \"{{{}}}\"", name));
        result += value->printed();
        at = end;
    }
    return Value(std::move(result));
}

Result<Value> place_in(const std::string& text, const Arguments& arguments, bool from_right) {
    const auto part = given_text(arguments, 0, "sub").value_or("");
    const std::size_t at = from_right ? text.rfind(part) : text.find(part);
    if (at == std::string::npos) return Value(std::int64_t{-1});
    return Value(length(std::string_view(text).substr(0, at)));
}

const std::unordered_map<std::string_view, TextMethod>& text_methods() {
    static const std::unordered_map<std::string_view, TextMethod> table{
        {"strip",
         [](const std::string& t, const Arguments& a) -> Result<Value> {
             return Value(std::string(strip(t, given_text(a, 0, "chars"), true, true)));
         }},
        {"lstrip",
         [](const std::string& t, const Arguments& a) -> Result<Value> {
             return Value(std::string(strip(t, given_text(a, 0, "chars"), true, false)));
         }},
        {"rstrip",
         [](const std::string& t, const Arguments& a) -> Result<Value> {
             return Value(std::string(strip(t, given_text(a, 0, "chars"), false, true)));
         }},
        {"split",
         [](const std::string& t, const Arguments& a) -> Result<Value> {
             return texts(split(t, given_text(a, 0, "sep"), given_integer(a, 1, "maxsplit", -1), false));
         }},
        {"rsplit",
         [](const std::string& t, const Arguments& a) -> Result<Value> {
             return texts(split(t, given_text(a, 0, "sep"), given_integer(a, 1, "maxsplit", -1), true));
         }},
        {"splitlines",
         [](const std::string& t, const Arguments&) -> Result<Value> { return texts(split_lines(t)); }},
        {"startswith",
         [](const std::string& t, const Arguments& a) {
             return any_text(a, [&](const std::string& s) { return t.starts_with(s); });
         }},
        {"endswith",
         [](const std::string& t, const Arguments& a) {
             return any_text(a, [&](const std::string& s) { return t.ends_with(s); });
         }},
        {"removeprefix",
         [](const std::string& t, const Arguments& a) -> Result<Value> {
             const auto p = given_text(a, 0, "prefix").value_or("");
             return Value(t.starts_with(p) ? t.substr(p.size()) : t);
         }},
        {"removesuffix",
         [](const std::string& t, const Arguments& a) -> Result<Value> {
             const auto p = given_text(a, 0, "suffix").value_or("");
             return Value(t.ends_with(p) ? t.substr(0, t.size() - p.size()) : t);
         }},
        {"upper", [](const std::string& t, const Arguments&) -> Result<Value> { return Value(upper(t)); }},
        {"lower", [](const std::string& t, const Arguments&) -> Result<Value> { return Value(lower(t)); }},
        {"title", [](const std::string& t, const Arguments&) -> Result<Value> { return Value(title(t)); }},
        {"capitalize",
         [](const std::string& t, const Arguments&) -> Result<Value> { return Value(capitalize(t)); }},
        {"replace",
         [](const std::string& t, const Arguments& a) -> Result<Value> {
             return Value(replace(t, given_text(a, 0, "old").value_or(""),
                                  given_text(a, 1, "new").value_or(""), given_integer(a, 2, "count", -1)));
         }},
        {"find", [](const std::string& t, const Arguments& a) { return place_in(t, a, false); }},
        {"rfind", [](const std::string& t, const Arguments& a) { return place_in(t, a, true); }},
        {"count",
         [](const std::string& t, const Arguments& a) -> Result<Value> {
             return Value(
                 static_cast<std::int64_t>(split(t, given_text(a, 0, "sub").value_or(""), -1, false).size()) -
                 1);
         }},
        {"join",
         [](const std::string& t, const Arguments& a) -> Result<Value> {
             Arguments separator;
             separator.places.emplace_back(t);
             return apply_filter("join", a.places.empty() ? Value() : a.places[0], separator);
         }},
        {"format", format_text},
        {"isdigit",
         [](const std::string& t, const Arguments&) {
             return all_characters(
                 t, [](std::string_view c) { return c.size() == 1 && c[0] >= '0' && c[0] <= '9'; });
         }},
        {"isspace",
         [](const std::string& t, const Arguments&) {
             return all_characters(
                 t, [](std::string_view c) { return strip(c, std::nullopt, true, true).empty(); });
         }},
        {"isalpha",
         [](const std::string& t, const Arguments&) {
             return all_characters(t, [](std::string_view c) { return lower(c) != upper(c); });
         }},
        {"isupper",
         [](const std::string& t, const Arguments&) -> Result<Value> {
             return Value(upper(t) == t && lower(t) != t);
         }},
        {"islower",
         [](const std::string& t, const Arguments&) -> Result<Value> {
             return Value(lower(t) == t && upper(t) != t);
         }},
    };
    return table;
}

std::optional<Value> dict_method(const Value& value, const std::string& name) {
    if (name == "items")
        return Value::method([value](const Arguments&) { return apply_filter("items", value, {}); }, value);
    if (name == "keys")
        return Value::method(
            [value](const Arguments&) -> Result<Value> { return apply_filter("list", value, {}); }, value);
    if (name == "values")
        return Value::method(
            [value](const Arguments&) -> Result<Value> {
                List list;
                for (const auto& [key, inner] : *value.dict())
                    list.push_back(inner);
                return Value(std::move(list));
            },
            value);
    if (name == "copy")
        return Value::method([value](const Arguments&) -> Result<Value> { return value; }, value);
    if (name == "get")
        return Value::method(
            [value](const Arguments& arguments) -> Result<Value> {
                const Value* const key = arguments.find(0, "key");
                const Value* const found =
                    key != nullptr && key->text() != nullptr ? value.member(*key->text()) : nullptr;
                if (found != nullptr) return *found;
                const Value* const fallback = arguments.find(1, "default");
                return fallback != nullptr ? *fallback : Value::none();
            },
            value);
    return std::nullopt;
}

std::optional<Value> list_method(const Value& value, const std::string& name) {
    if (name == "index" || name == "count")
        return Value::method(
            [value, name](const Arguments& arguments) -> Result<Value> {
                if (arguments.places.empty()) return fail(Code::malformed, "an argument is missing");
                const List& list = *value.list();
                if (name == "count")
                    return Value(
                        static_cast<std::int64_t>(std::count(list.begin(), list.end(), arguments.places[0])));
                const auto found = std::find(list.begin(), list.end(), arguments.places[0]);
                if (found == list.end())
                    return fail(Code::malformed, "a list lacks the value that is looked for");
                return Value(static_cast<std::int64_t>(found - list.begin()));
            },
            value);
    return std::nullopt;
}

} // namespace

Result<Value> attribute_of(const Value& value, const std::string& name) {
    if (value.is_undefined())
        return fail(Code::malformed, fmt::format("\"{}\" is undefined", value.undefined_name()));
    if (const auto* text = value.text()) {
        const auto found = text_methods().find(name);
        if (found == text_methods().end()) return Value::undefined(name);
        return Value(Function([held = *text, method = found->second](const Arguments& arguments) {
            return method(held, arguments);
        }));
    }
    if (value.list() != nullptr) return list_method(value, name).value_or(Value::undefined(name));
    if (const auto* mapping = value.mapping()) {
        if (!mapping->is_namespace)
            if (auto method = dict_method(value, name)) return std::move(*method);
        const Value* const member = value.member(name);
        return member != nullptr ? *member : Value::undefined(name);
    }
    return Value::undefined(name);
}

} // namespace vitrine::chat
