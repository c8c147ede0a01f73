#include <algorithm>
#include <cmath>
#include <limits>

#include <fmt/format.h>

#include "core/chat/builtins.h"
#include "core/chat/text.h"

namespace vitrine::chat {

namespace {

tl::unexpected<Error> unfit(std::string_view symbol, const Value& a, const Value& b) {
    const Value& odd = a.is_undefined() ? a : b;
    if (odd.is_undefined())
        return fail(Code::malformed, fmt::format("\"{}\" is undefined", odd.undefined_name()));
    return fail(Code::malformed,
                fmt::format("\"{}\" does not work on {} and {}", symbol, a.kind(), b.kind()));
}

std::int64_t floor_divide(std::int64_t a, std::int64_t b) {
    const std::int64_t quotient = a / b;
    return a % b != 0 && (a < 0) != (b < 0) ? quotient - 1 : quotient;
}

bool is_small(std::int64_t number) {
    constexpr std::int64_t limit = std::int64_t{1} << 31;
    return number > -limit && number < limit;
}

Result<Value> calculate(std::string_view symbol, const Value& a, const Value& b) {
    const bool whole = !a.is_float() && !b.is_float();
    const auto divides = symbol == "/" || symbol == "//" || symbol == "%";
    if (divides && b.as_double() == 0) return fail(Code::malformed, "a number is divided by zero");
    if (whole && symbol != "/") {
        const auto x = static_cast<std::int64_t>(a.integer() != nullptr ? *a.integer() : *a.truth());
        const auto y = static_cast<std::int64_t>(b.integer() != nullptr ? *b.integer() : *b.truth());
        if (!is_small(x) || !is_small(y)) return fail(Code::malformed, "a number is too large");
        if (symbol == "+") return Value(x + y);
        if (symbol == "-") return Value(x - y);
        if (symbol == "*") return Value(x * y);
        if (symbol == "//") return Value(floor_divide(x, y));
        if (symbol == "%") return Value(x - floor_divide(x, y) * y);
        if (symbol == "**" && y >= 0) {
            const double power = std::pow(static_cast<double>(x), static_cast<double>(y));
            if (std::abs(power) < 9e15) return Value(static_cast<std::int64_t>(power));
            return fail(Code::malformed, "a number is too large");
        }
    }
    const double x = a.as_double();
    const double y = b.as_double();
    if (symbol == "+") return Value(x + y);
    if (symbol == "-") return Value(x - y);
    if (symbol == "*") return Value(x * y);
    if (symbol == "/") return Value(x / y);
    if (symbol == "//") return Value(std::floor(x / y));
    if (symbol == "%") return Value(x - std::floor(x / y) * y);
    return Value(std::pow(x, y));
}

Result<Value> repeated(const Value& value, std::int64_t times) {
    times = std::max<std::int64_t>(times, 0);
    const std::size_t size = value.text() != nullptr ? value.text()->size() : value.list()->size();
    if (size > 0 && static_cast<std::size_t>(times) > largest_value / size)
        return fail(Code::too_large, "a text becomes too long");
    if (const auto* text = value.text()) {
        std::string all;
        for (std::int64_t i = 0; i < times; ++i)
            all += *text;
        return Value(std::move(all));
    }
    List all;
    for (std::int64_t i = 0; i < times; ++i)
        all.insert(all.end(), value.list()->begin(), value.list()->end());
    return Value(std::move(all));
}

} // namespace

Result<Value> operate(std::string_view symbol, const Value& a, const Value& b) {
    if (symbol == "~") return Value(a.printed() + b.printed());
    if (a.is_number() && b.is_number()) return calculate(symbol, a, b);
    if (symbol == "+" && a.text() != nullptr && b.text() != nullptr) {
        if (a.text()->size() + b.text()->size() > largest_value)
            return fail(Code::too_large, "a text becomes too long");
        return Value(*a.text() + *b.text());
    }
    if (symbol == "+" && a.list() != nullptr && b.list() != nullptr) {
        List all = *a.list();
        all.insert(all.end(), b.list()->begin(), b.list()->end());
        return Value(std::move(all));
    }
    const auto is_sequence = [](const Value& value) {
        return value.text() != nullptr || value.list() != nullptr;
    };
    if (symbol == "*" && is_sequence(a) && b.integer() != nullptr) return repeated(a, *b.integer());
    if (symbol == "*" && is_sequence(b) && a.integer() != nullptr) return repeated(b, *a.integer());
    return unfit(symbol, a, b);
}

Result<bool> compare(std::string_view symbol, const Value& a, const Value& b) {
    if (symbol == "==") return a == b;
    if (symbol == "!=") return !(a == b);
    if (symbol == "not in") {
        VITRINE_ASSIGN(const bool inside, compare("in", a, b));
        return !inside;
    }
    if (symbol == "in") {
        if (b.is_undefined()) return false;
        if (b.text() != nullptr && a.text() != nullptr) return b.text()->find(*a.text()) != std::string::npos;
        if (b.list() != nullptr) return std::find(b.list()->begin(), b.list()->end(), a) != b.list()->end();
        if (b.dict() != nullptr) return a.text() != nullptr && b.member(*a.text()) != nullptr;
        return unfit(symbol, a, b);
    }
    int order = 0;
    if (a.is_number() && b.is_number())
        order = a.as_double() < b.as_double() ? -1 : a.as_double() > b.as_double() ? 1 : 0;
    else if (a.text() != nullptr && b.text() != nullptr)
        order = a.text()->compare(*b.text());
    else
        return unfit(symbol, a, b);
    if (symbol == "<") return order < 0;
    if (symbol == "<=") return order <= 0;
    if (symbol == ">") return order > 0;
    return order >= 0;
}

Result<List> values_of(const Value& value) {
    List list;
    if (value.is_undefined()) return list;
    if (const auto* held = value.list()) return *held;
    if (const auto* text = value.text()) {
        for (const auto character : characters(*text))
            list.emplace_back(std::string(character));
        return list;
    }
    if (const auto* entries = value.dict()) {
        for (const auto& [key, ignored] : *entries)
            list.emplace_back(key);
        return list;
    }
    return fail(Code::malformed, fmt::format("{} cannot be gone through", value.kind()));
}

Result<Value> item_of(const Value& value, const Value& key) {
    if (value.is_undefined())
        return fail(Code::malformed, fmt::format("\"{}\" is undefined", value.undefined_name()));
    if (key.integer() != nullptr && (value.list() != nullptr || value.text() != nullptr)) {
        const bool is_text = value.text() != nullptr;
        const auto size = is_text ? length(*value.text()) : static_cast<std::int64_t>(value.list()->size());
        const std::int64_t at = *key.integer() < 0 ? *key.integer() + size : *key.integer();
        if (at < 0 || at >= size) return Value::undefined(key.printed());
        if (is_text) return Value(std::string(characters(*value.text())[static_cast<std::size_t>(at)]));
        return (*value.list())[static_cast<std::size_t>(at)];
    }
    if (key.text() == nullptr) return Value::undefined(key.printed());
    if (const Value* const member = value.member(*key.text())) return *member;
    if (value.dict() != nullptr) return Value::undefined(*key.text());
    return attribute_of(value, *key.text());
}

Result<Value> slice_of(const Value& value, const Value& begin, const Value& end, const Value& step) {
    if (value.list() == nullptr && value.text() == nullptr)
        return fail(Code::malformed, value.is_undefined()
                                         ? fmt::format("\"{}\" is undefined", value.undefined_name())
                                         : fmt::format("{} has no parts", value.kind()));
    VITRINE_ASSIGN(const List all, values_of(value));
    const auto size = static_cast<std::int64_t>(all.size());
    const std::int64_t stride = step.integer() != nullptr ? *step.integer() : 1;
    if (stride == 0) return fail(Code::malformed, "the step of \"[…]\" is zero");
    const std::int64_t lowest = stride > 0 ? 0 : -1;
    const std::int64_t highest = stride > 0 ? size : size - 1;
    const auto bound = [&](const Value& given, std::int64_t usual) {
        if (given.integer() == nullptr) return usual;
        return std::clamp(*given.integer() < 0 ? *given.integer() + size : *given.integer(), lowest, highest);
    };
    const std::int64_t from = bound(begin, stride > 0 ? 0 : size - 1);
    const std::int64_t to = bound(end, stride > 0 ? size : -1);
    List part;
    for (std::int64_t at = from; stride > 0 ? at < to : at > to;
         at += std::clamp(stride, -size - 1, size + 1))
        part.push_back(all[static_cast<std::size_t>(at)]);
    if (value.list() != nullptr) return Value(std::move(part));
    std::string text;
    for (const Value& character : part)
        text += *character.text();
    return Value(std::move(text));
}

} // namespace vitrine::chat
