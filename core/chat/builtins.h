#pragma once
// What templates can call without defining it: filters, tests, methods, functions. Each behaves as in Jinja
// and Python. Error sentences lack the line, which the evaluator adds.
#include <string_view>

#include "core/base/result.h"
#include "core/chat/value.h"

namespace vitrine::chat {

/// value | name(arguments); unsupported: a filter that Vitrine does not know.
Result<Value> apply_filter(std::string_view name, const Value& value, const Arguments& arguments);

/// value is name(arguments); unsupported: a test that Vitrine does not know.
Result<bool> apply_test(std::string_view name, const Value& value, const Arguments& arguments);

/// value.name: a method, a member or undefined; malformed on what is undefined.
Result<Value> attribute_of(const Value& value, const std::string& name);

/// value[key]; undefined if there is none.
Result<Value> item_of(const Value& value, const Value& key);

/// value[begin:end:step], bounds may be None.
Result<Value> slice_of(const Value& value, const Value& begin, const Value& end, const Value& step);

/// What a loop goes over: a list's values, a dictionary's keys, a text's characters.
Result<List> values_of(const Value& value);

/// a + b and its like, a < b, a in b.
Result<Value> operate(std::string_view symbol, const Value& a, const Value& b);
Result<bool> compare(std::string_view symbol, const Value& a, const Value& b);

} // namespace vitrine::chat
