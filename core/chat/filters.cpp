#include <algorithm>
#include <charconv>
#include <cmath>
#include <unordered_map>

#include <fmt/format.h>

#include "core/chat/builtins.h"
#include "core/chat/text.h"

namespace vitrine::chat {

namespace {

constexpr std::size_t longest_unique = 10'000;

using Filter = Result<Value> (*)(const Value&, const Arguments&);

std::int64_t integer_or(const Value* value, std::int64_t fallback) {
    return value != nullptr && value->is_number() ? value->as_integer() : fallback;
}

bool truth_or(const Value* value, bool fallback) { return value != nullptr ? value->is_true() : fallback; }

std::string text_or(const Value* value, const std::string& fallback) {
    return value != nullptr && value->text() != nullptr ? *value->text() : fallback;
}

/// "a.b.0" of a value.
Result<Value> path_of(Value value, const Value& path) {
    if (path.integer() != nullptr) return item_of(value, path);
    for (const std::string& name : split(path.printed(), ".", -1, false)) {
        std::int64_t index = 0;
        const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), index);
        const bool is_index = error == std::errc() && end == name.data() + name.size();
        if (value.is_undefined()) return value;
        VITRINE_ASSIGN(value, item_of(value, is_index ? Value(index) : Value(name)));
    }
    return value;
}

Result<Value> tojson(const Value& value, const Arguments& arguments) {
    const Value* const indent = arguments.find(1, "indent");
    VITRINE_ASSIGN(std::string text,
                   value.to_json(static_cast<int>(std::clamp<std::int64_t>(integer_or(indent, -1), -1, 64)),
                                 truth_or(arguments.find(3, "sort_keys"), false)));
    return Value(std::move(text));
}

Result<Value> size(const Value& value, const Arguments&) {
    if (const auto* text = value.text()) return Value(length(*text));
    VITRINE_ASSIGN(const List list, values_of(value));
    return Value(static_cast<std::int64_t>(list.size()));
}

Result<Value> trim(const Value& value, const Arguments& arguments) {
    const Value* const set = arguments.find(0, "chars");
    const std::string text = value.printed();
    const std::optional<std::string_view> given = set != nullptr && set->text() != nullptr
                                                      ? std::optional<std::string_view>(*set->text())
                                                      : std::nullopt;
    return Value(std::string(strip(text, given, true, true)));
}

Result<Value> default_value(const Value& value, const Arguments& arguments) {
    const Value* const other = arguments.find(0, "default_value");
    const bool if_false = truth_or(arguments.find(1, "boolean"), false);
    if (!value.is_undefined() && !(if_false && !value.is_true())) return value;
    return other != nullptr ? *other : Value("");
}

Result<Value> join(const Value& value, const Arguments& arguments) {
    VITRINE_ASSIGN(const List list, values_of(value));
    const Value* const attribute = arguments.find(1, "attribute");
    const std::string separator = text_or(arguments.find(0, "d"), "");
    std::string all;
    for (std::size_t i = 0; i < list.size() && all.size() <= largest_value; ++i) {
        if (i > 0) all += separator;
        if (attribute == nullptr) {
            all += list[i].printed();
            continue;
        }
        VITRINE_ASSIGN(const Value part, path_of(list[i], *attribute));
        all += part.printed();
    }
    return Value(std::move(all));
}

Result<Value> items(const Value& value, const Arguments&) {
    if (value.is_undefined()) return Value(List());
    if (value.dict() == nullptr) return fail(Code::malformed, fmt::format("{} has no items", value.kind()));
    List list;
    for (const auto& [key, inner] : *value.dict())
        list.emplace_back(List{Value(key), inner});
    return Value(std::move(list));
}

Status sort_values(List& list, const Value* attribute, bool reverse) {
    std::vector<std::pair<Value, Value>> keyed;
    for (const Value& value : list) {
        Value key = value;
        if (attribute != nullptr) {
            VITRINE_ASSIGN(key, path_of(value, *attribute));
        }
        if (key.text() != nullptr) key = Value(lower(*key.text())); // case counts only where it is asked for
        keyed.emplace_back(std::move(key), value);
    }
    bool fits = true;
    std::stable_sort(keyed.begin(), keyed.end(), [&](const auto& a, const auto& b) {
        const auto less = reverse ? compare("<", b.first, a.first) : compare("<", a.first, b.first);
        fits = fits && less.has_value();
        return less.value_or(false);
    });
    if (!fits) return fail(Code::malformed, "values of different kinds cannot be sorted");
    for (std::size_t i = 0; i < list.size(); ++i)
        list[i] = std::move(keyed[i].second);
    return {};
}

Result<Value> dictsort(const Value& value, const Arguments& arguments) {
    VITRINE_ASSIGN(const Value pairs, items(value, {}));
    List list = *pairs.list();
    const Value by(std::int64_t{text_or(arguments.find(1, "by"), "key") == "value" ? 1 : 0});
    VITRINE_TRY(sort_values(list, &by, truth_or(arguments.find(2, "reverse"), false)));
    return Value(std::move(list));
}

Result<Value> sort(const Value& value, const Arguments& arguments) {
    VITRINE_ASSIGN(List list, values_of(value));
    VITRINE_TRY(
        sort_values(list, arguments.find(2, "attribute"), truth_or(arguments.find(0, "reverse"), false)));
    return Value(std::move(list));
}

/// The arguments after the first `count`.
Arguments rest_of(const Arguments& arguments, std::size_t count) {
    Arguments rest = arguments;
    rest.places.erase(rest.places.begin(),
                      rest.places.begin() + static_cast<std::ptrdiff_t>(std::min(count, rest.places.size())));
    return rest;
}

Result<Value> map(const Value& value, const Arguments& arguments) {
    if (!value.is_true()) return Value(List()); // of None, too, as Jinja has it
    VITRINE_ASSIGN(const List list, values_of(value));
    const Value* const attribute = arguments.find(99, "attribute");
    const Value* const fallback = arguments.find(99, "default");
    List result;
    for (const Value& inner : list) {
        if (attribute == nullptr && arguments.places.empty())
            return fail(Code::malformed, "\"map\" needs a filter or an attribute");
        VITRINE_ASSIGN(Value mapped, attribute != nullptr ? path_of(inner, *attribute)
                                                          : apply_filter(arguments.places[0].printed(), inner,
                                                                         rest_of(arguments, 1)));
        if (mapped.is_undefined() && fallback != nullptr) mapped = *fallback;
        result.push_back(std::move(mapped));
    }
    return Value(std::move(result));
}

/// select, reject, selectattr, rejectattr.
Result<Value> choose(const Value& value, const Arguments& arguments, bool wanted, bool by_attribute) {
    if (!value.is_true()) return Value(List());
    VITRINE_ASSIGN(const List list, values_of(value));
    const std::size_t test = by_attribute ? 1 : 0;
    if (by_attribute && arguments.places.empty()) return fail(Code::malformed, "an attribute is missing");
    List result;
    for (const Value& inner : list) {
        Value tested = inner;
        if (by_attribute) {
            VITRINE_ASSIGN(tested, path_of(inner, arguments.places[0]));
        }
        bool fits = tested.is_true();
        if (arguments.places.size() > test) {
            VITRINE_ASSIGN(
                fits, apply_test(arguments.places[test].printed(), tested, rest_of(arguments, test + 1)));
        }
        if (fits == wanted) result.push_back(inner);
    }
    return Value(std::move(result));
}

Result<Value> unique(const Value& value, const Arguments&) {
    VITRINE_ASSIGN(const List list, values_of(value));
    if (list.size() > longest_unique)
        return fail(Code::too_large, "\"unique\" has too many values to compare");
    List result;
    for (const Value& inner : list)
        if (std::find(result.begin(), result.end(), inner) == result.end()) result.push_back(inner);
    return Value(std::move(result));
}

Result<Value> reverse(const Value& value, const Arguments&) {
    VITRINE_ASSIGN(List list, values_of(value));
    std::reverse(list.begin(), list.end());
    if (value.text() == nullptr) return Value(std::move(list));
    return join(Value(std::move(list)), {});
}

Result<Value> to_integer(const Value& value, const Arguments& arguments) {
    const std::int64_t fallback = integer_or(arguments.find(0, "default"), 0);
    if (value.is_number()) return Value(value.as_integer());
    const std::string all = value.printed();
    const std::string_view text = strip(all, std::nullopt, true, true);
    double number = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    const bool fits = error == std::errc() && end == text.data() + text.size() && std::abs(number) < 9e15;
    return Value(fits ? static_cast<std::int64_t>(number) : fallback);
}

Result<Value> to_float(const Value& value, const Arguments&) {
    if (value.is_number()) return Value(value.as_double());
    const std::string all = value.printed();
    const std::string_view text = strip(all, std::nullopt, true, true);
    double number = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    return Value(error == std::errc() && end == text.data() + text.size() ? number : 0.0);
}

Result<Value> round_number(const Value& value, const Arguments& arguments) {
    if (!value.is_number()) return fail(Code::malformed, fmt::format("{} cannot be rounded", value.kind()));
    const double scale = std::pow(10.0, static_cast<double>(std::clamp<std::int64_t>(
                                            integer_or(arguments.find(0, "precision"), 0), -15, 15)));
    return Value(std::nearbyint(value.as_double() * scale) / scale);
}

Result<Value> escape(const Value& value, const Arguments&) {
    std::string text = value.printed();
    for (const auto& [old, by] :
         {std::pair{"&", "&amp;"}, {"<", "&lt;"}, {">", "&gt;"}, {"\"", "&#34;"}, {"'", "&#39;"}})
        text = replace(text, old, by, -1);
    return Value(std::move(text));
}

Result<Value> edge(const Value& value, bool first) {
    VITRINE_ASSIGN(const List list, values_of(value));
    if (list.empty()) return Value::undefined(first ? "first" : "last");
    return first ? list.front() : list.back();
}

Result<Value> extreme(const Value& value, const char* symbol) {
    VITRINE_ASSIGN(const List list, values_of(value));
    Value best = Value::undefined("min");
    for (const Value& inner : list) {
        if (best.is_undefined()) {
            best = inner;
            continue;
        }
        VITRINE_ASSIGN(const bool better, compare(symbol, inner, best));
        if (better) best = inner;
    }
    return best;
}

Result<Value> sum(const Value& value, const Arguments&) {
    VITRINE_ASSIGN(const List list, values_of(value));
    Value total(std::int64_t{0});
    for (const Value& inner : list) {
        VITRINE_ASSIGN(total, operate("+", total, inner));
    }
    return total;
}

const std::unordered_map<std::string_view, Filter>& filters() {
    static const std::unordered_map<std::string_view, Filter> table{
        {"tojson", tojson},
        {"length", size},
        {"count", size},
        {"trim", trim},
        {"default", default_value},
        {"d", default_value},
        {"join", join},
        {"items", items},
        {"dictsort", dictsort},
        {"sort", sort},
        {"map", map},
        {"unique", unique},
        {"reverse", reverse},
        {"int", to_integer},
        {"float", to_float},
        {"round", round_number},
        {"escape", escape},
        {"e", escape},
        {"sum", sum},
        {"upper",
         [](const Value& v, const Arguments&) -> Result<Value> { return Value(upper(v.printed())); }},
        {"lower",
         [](const Value& v, const Arguments&) -> Result<Value> { return Value(lower(v.printed())); }},
        {"title",
         [](const Value& v, const Arguments&) -> Result<Value> { return Value(title(v.printed())); }},
        {"capitalize",
         [](const Value& v, const Arguments&) -> Result<Value> { return Value(capitalize(v.printed())); }},
        {"string", [](const Value& v, const Arguments&) -> Result<Value> { return Value(v.printed()); }},
        {"safe", [](const Value& v, const Arguments&) -> Result<Value> { return v; }},
        {"list",
         [](const Value& v, const Arguments&) -> Result<Value> {
             return values_of(v).map([](List l) { return Value(std::move(l)); });
         }},
        {"first", [](const Value& v, const Arguments&) { return edge(v, true); }},
        {"last", [](const Value& v, const Arguments&) { return edge(v, false); }},
        {"min", [](const Value& v, const Arguments&) { return extreme(v, "<"); }},
        {"max", [](const Value& v, const Arguments&) { return extreme(v, ">"); }},
        {"select", [](const Value& v, const Arguments& a) { return choose(v, a, true, false); }},
        {"reject", [](const Value& v, const Arguments& a) { return choose(v, a, false, false); }},
        {"selectattr", [](const Value& v, const Arguments& a) { return choose(v, a, true, true); }},
        {"rejectattr", [](const Value& v, const Arguments& a) { return choose(v, a, false, true); }},
        {"abs",
         [](const Value& v, const Arguments&) -> Result<Value> {
             if (!v.is_integer()) return Value(std::abs(v.as_double()));
             return *v.integer() < 0 ? operate("-", Value(std::int64_t{0}), v) : v;
         }},
        {"attr", [](const Value& v,
                    const Arguments& a) { return path_of(v, a.places.empty() ? Value("") : a.places[0]); }},
        {"replace",
         [](const Value& v, const Arguments& a) -> Result<Value> {
             return Value(replace(v.printed(), text_or(a.find(0, "old"), ""), text_or(a.find(1, "new"), ""),
                                  integer_or(a.find(2, "count"), -1)));
         }},
        {"indent",
         [](const Value& v, const Arguments& a) -> Result<Value> {
             return Value(indent(v.printed(), integer_or(a.find(0, "width"), 4),
                                 truth_or(a.find(1, "first"), false), truth_or(a.find(2, "blank"), false)));
         }},
        {"wordcount",
         [](const Value& v, const Arguments&) -> Result<Value> {
             return Value(static_cast<std::int64_t>(split(v.printed(), std::nullopt, -1, false).size()));
         }},
    };
    return table;
}

} // namespace

Result<Value> apply_filter(std::string_view name, const Value& value, const Arguments& arguments) {
    const auto found = filters().find(name);
    if (found == filters().end())
        return fail(Code::unsupported, fmt::format("the filter \"{}\" is unknown to Vitrine", name));
    return found->second(value, arguments);
}

} // namespace vitrine::chat
