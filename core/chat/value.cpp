#include "core/chat/value.h"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

namespace vitrine::chat {

namespace {

/// A float as Python prints it: 1.0, 1e-05, 1e+16.
std::string float_text(double number) {
    if (std::isnan(number)) return "nan";
    if (std::isinf(number)) return number > 0 ? "inf" : "-inf";
    std::string text = fmt::format("{}", number);
    if (text.find_first_of(".en") == std::string::npos) text += ".0";
    return text;
}

std::string quoted(const std::string& text) {
    const char quote =
        text.find('\'') != std::string::npos && text.find('"') == std::string::npos ? '"' : '\'';
    std::string result(1, quote);
    for (const char c : text) {
        if (c == quote || c == '\\')
            result += {'\\', c};
        else if (c == '\n')
            result += "\\n";
        else if (c == '\r')
            result += "\\r";
        else if (c == '\t')
            result += "\\t";
        else if (static_cast<unsigned char>(c) < 0x20 || c == 0x7F)
            result += fmt::format("\\x{:02x}", static_cast<unsigned char>(c));
        else
            result += c;
    }
    return result + quote;
}

std::string json_text(const std::string& text) {
    std::string result = "\"";
    for (const char c : text) {
        switch (c) {
        case '"':
            result += "\\\"";
            break;
        case '\\':
            result += "\\\\";
            break;
        case '\n':
            result += "\\n";
            break;
        case '\r':
            result += "\\r";
            break;
        case '\t':
            result += "\\t";
            break;
        case '\b':
            result += "\\b";
            break;
        case '\f':
            result += "\\f";
            break;
        default:
            if (static_cast<unsigned char>(c) < 0x20)
                result += fmt::format("\\u{:04x}", static_cast<unsigned>(c));
            else
                result += c;
        }
    }
    return result + '"';
}

} // namespace

const Value* Arguments::find(std::size_t place, std::string_view name) const {
    if (place < places.size()) return &places[place];
    for (const auto& [key, value] : names)
        if (key == name) return &value;
    return nullptr;
}

Value::Value(List list) {
    for (const Value& inner : list)
        hold(inner);
    data_ = std::make_shared<const List>(std::move(list));
}

Value::Value(Dict entries, bool is_namespace) {
    for (const auto& [key, inner] : entries) {
        hold(inner);
        held_weight_ += key.size();
    }
    holds_namespace_ = holds_namespace_ || is_namespace;
    data_ = std::make_shared<Mapping>(Mapping{std::move(entries), is_namespace});
}

Value Value::method(Function function, const Value& holder) {
    Value value(std::move(function));
    value.hold(holder);
    return value;
}

void Value::hold(const Value& inner) {
    depth_ = std::max(depth_, inner.depth_ + 1);
    held_weight_ = std::min(held_weight_ + inner.weight(), 2 * largest_value);
    holds_namespace_ = holds_namespace_ || inner.holds_namespace_;
}

std::size_t Value::weight() const {
    const auto* const held = text();
    return sizeof(Value) + (held != nullptr ? held->size() : held_weight_);
}

Value Value::from_json(const Json& json) {
    switch (json.type()) {
    case Json::value_t::boolean:
        return Value(json.get<bool>());
    case Json::value_t::number_integer:
    case Json::value_t::number_unsigned:
        return Value(json.get<std::int64_t>());
    case Json::value_t::number_float:
        return Value(json.get<double>());
    case Json::value_t::string:
        return Value(json.get<std::string>());
    case Json::value_t::array: {
        List list;
        for (const auto& inner : json)
            list.push_back(from_json(inner));
        return Value(std::move(list));
    }
    case Json::value_t::object: {
        Dict dict;
        for (const auto& [key, inner] : json.items())
            dict.emplace_back(key, from_json(inner));
        return Value(std::move(dict));
    }
    default:
        return none();
    }
}

const List* Value::list() const {
    const auto* held = std::get_if<std::shared_ptr<const List>>(&data_);
    return held != nullptr ? held->get() : nullptr;
}

Value::Mapping* Value::mapping() const {
    const auto* held = std::get_if<std::shared_ptr<Mapping>>(&data_);
    return held != nullptr ? held->get() : nullptr;
}

const Dict* Value::dict() const {
    const Mapping* held = mapping();
    return held != nullptr ? &held->entries : nullptr;
}

const Function* Value::function() const {
    const auto* held = std::get_if<std::shared_ptr<const Function>>(&data_);
    return held != nullptr ? held->get() : nullptr;
}

double Value::as_double() const {
    if (const auto* number = std::get_if<double>(&data_)) return *number;
    if (const auto* number = integer()) return static_cast<double>(*number);
    if (const auto* held = truth()) return *held ? 1 : 0;
    return 0;
}

std::int64_t Value::as_integer() const {
    constexpr double limit = 9007199254740992.0;
    const double number = as_double();
    return std::isnan(number) ? 0 : static_cast<std::int64_t>(std::clamp(number, -limit, limit));
}

bool Value::is_true() const {
    if (is_number()) return as_double() != 0;
    if (const auto* held = text()) return !held->empty();
    if (const auto* held = list()) return !held->empty();
    if (const auto* held = mapping()) return held->is_namespace || !held->entries.empty();
    return function() != nullptr;
}

const Value* Value::member(std::string_view key) const {
    if (const Dict* const entries = dict())
        for (const auto& [name, value] : *entries)
            if (name == key) return &value;
    return nullptr;
}

std::string Value::printed() const {
    if (is_undefined()) return "";
    if (const auto* held = text()) return *held;
    return represented();
}

std::string Value::represented() const {
    if (is_undefined()) return "Undefined";
    if (is_none()) return "None";
    if (const auto* held = truth()) return *held ? "True" : "False";
    if (const auto* held = integer()) return fmt::format("{}", *held);
    if (is_float()) return float_text(as_double());
    if (const auto* held = text()) return quoted(*held);
    if (const auto* held = list()) {
        std::string all = "[";
        for (const Value& value : *held)
            all += (all.size() > 1 ? ", " : "") + value.represented();
        return all + "]";
    }
    if (const auto* held = dict()) {
        std::string all = "{";
        for (const auto& [key, value] : *held)
            all += (all.size() > 1 ? ", " : "") + quoted(key) + ": " + value.represented();
        return all + "}";
    }
    return "<function>";
}

std::string Value::kind() const {
    if (is_undefined()) return "undefined";
    if (is_none()) return "None";
    if (truth() != nullptr) return "a truth value";
    if (is_number()) return "a number";
    if (text() != nullptr) return "a text";
    if (list() != nullptr) return "a list";
    if (dict() != nullptr) return "a dictionary";
    return "a function";
}

std::string Value::undefined_name() const {
    const auto* held = std::get_if<Undefined>(&data_);
    return held != nullptr ? held->name : std::string();
}

Result<std::string> Value::to_json(int indent, bool sort_keys, int depth) const {
    if (is_none()) return std::string("null");
    if (const auto* held = truth()) return std::string(*held ? "true" : "false");
    if (const auto* held = text()) return json_text(*held);
    if (is_integer() || is_float()) return represented();
    const auto line_start = [&](int level) {
        return indent < 0 ? std::string() : "\n" + std::string(static_cast<std::size_t>(indent * level), ' ');
    };
    const std::string separator = indent < 0 ? ", " : ",";
    if (const auto* held = list()) {
        std::string all;
        for (const Value& value : *held) {
            if (all.size() > largest_value) break;
            VITRINE_ASSIGN(const std::string inner, value.to_json(indent, sort_keys, depth + 1));
            all += (all.empty() ? "" : separator) + line_start(depth + 1) + inner;
        }
        return "[" + all + (all.empty() ? "" : line_start(depth)) + "]";
    }
    if (const auto* held = dict()) {
        std::vector<const std::pair<std::string, Value>*> entries;
        for (const auto& entry : *held)
            entries.push_back(&entry);
        if (sort_keys)
            std::stable_sort(entries.begin(), entries.end(),
                             [](const auto* a, const auto* b) { return a->first < b->first; });
        std::string all;
        for (const auto* entry : entries) {
            if (all.size() > largest_value) break;
            VITRINE_ASSIGN(const std::string inner, entry->second.to_json(indent, sort_keys, depth + 1));
            all += (all.empty() ? "" : separator) + line_start(depth + 1) + json_text(entry->first) + ": " +
                   inner;
        }
        return "{" + all + (all.empty() ? "" : line_start(depth)) + "}";
    }
    return fail(Code::malformed, fmt::format("{} cannot be written as JSON", kind()));
}

bool operator==(const Value& a, const Value& b) {
    if (a.is_number() && b.is_number()) {
        if (a.is_integer() && b.is_integer()) return *a.integer() == *b.integer();
        return a.as_double() == b.as_double();
    }
    if (a.text() != nullptr && b.text() != nullptr) return *a.text() == *b.text();
    if (a.list() != nullptr && b.list() != nullptr) return *a.list() == *b.list();
    if (a.dict() != nullptr && b.dict() != nullptr) {
        if (a.dict()->size() != b.dict()->size()) return false;
        return std::all_of(a.dict()->begin(), a.dict()->end(), [&](const auto& entry) {
            const Value* const other = b.member(entry.first);
            return other != nullptr && *other == entry.second;
        });
    }
    return (a.is_none() && b.is_none()) || (a.is_undefined() && b.is_undefined());
}

} // namespace vitrine::chat
