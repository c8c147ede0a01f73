#pragma once
// Values of a chat template, as Python has them.
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "core/base/json.h"
#include "core/base/result.h"

namespace vitrine::chat {

class Value;
using List = std::vector<Value>;
using Dict = std::vector<std::pair<std::string, Value>>; ///< in the order of insertion

/// Arguments of a call: by place, then by name.
struct Arguments {
    std::vector<Value> places;
    std::vector<std::pair<std::string, Value>> names;

    /// The argument at a place or of that name, nullptr if neither is given.
    const Value* find(std::size_t place, std::string_view name) const;
};

using Function = std::function<Result<Value>(const Arguments&)>;

/// No template needs values of more bytes; what would become longer is cut off there and refused by the
/// evaluator.
constexpr std::size_t largest_value = std::size_t{1} << 24;

/// undefined, None, a truth, a number, a text, a list, a dictionary (or a namespace, which templates may
/// change), or something that can be called.
class Value {
public:
    struct Undefined {
        std::string name; ///< for error sentences
    };
    struct None {};
    struct Mapping {
        Dict entries;
        bool is_namespace = false;
    };

    Value() : data_(Undefined{}) {}
    static Value undefined(std::string name) { return Value(Data(Undefined{std::move(name)})); }
    static Value none() { return Value(Data(None{})); }
    explicit Value(bool truth) : data_(truth) {}
    explicit Value(std::int64_t number) : data_(number) {}
    explicit Value(double number) : data_(number) {}
    explicit Value(std::string text) : data_(std::move(text)) {}
    explicit Value(const char* text) : data_(std::string(text)) {}
    explicit Value(List list);
    explicit Value(Dict entries, bool is_namespace = false);
    explicit Value(Function function) : data_(std::make_shared<const Function>(std::move(function))) {}
    static Value method(Function function, const Value& holder); ///< a function that keeps `holder` alive
    static Value from_json(const Json& json);

    bool is_undefined() const { return std::holds_alternative<Undefined>(data_); }
    bool is_none() const { return std::holds_alternative<None>(data_); }
    bool is_integer() const { return std::holds_alternative<std::int64_t>(data_); }
    bool is_float() const { return std::holds_alternative<double>(data_); }
    bool is_number() const { return is_integer() || is_float() || truth() != nullptr; }

    // nullptr if the value is of another kind.
    const bool* truth() const { return std::get_if<bool>(&data_); }
    const std::int64_t* integer() const { return std::get_if<std::int64_t>(&data_); }
    const std::string* text() const { return std::get_if<std::string>(&data_); }
    const List* list() const;
    const Dict* dict() const;
    Mapping* mapping() const; ///< for assignments to a namespace
    const Function* function() const;

    double as_double() const;                        ///< of a number, else 0
    std::int64_t as_integer() const;                 ///< its whole part, at most 2^53 from 0
    bool is_true() const;                            ///< as Python's bool()
    const Value* member(std::string_view key) const; ///< of a dictionary, nullptr if it lacks the key

    /// How deep lists, dictionaries and methods are nested, and whether a namespace is among them: the
    /// evaluator keeps the one small and namespaces out of each other, so that going through a value comes to
    /// an end.
    int depth() const { return depth_; }
    bool holds_namespace() const { return holds_namespace_; }

    /// Roughly how many bytes it takes, what is held several times counted as often: going through a value
    /// takes so long.
    std::size_t weight() const;

    std::string printed() const;     ///< as Python's str(); "" if undefined
    std::string represented() const; ///< as Python's repr()
    std::string kind() const;        ///< "a text", "a list" …, for error sentences
    std::string undefined_name() const;

    /// As Python's json.dumps(…, ensure_ascii=False); `indent` < 0: on one line. malformed: what has no JSON.
    Result<std::string> to_json(int indent, bool sort_keys, int depth = 0) const;

    friend bool operator==(const Value& a, const Value& b);

private:
    using Data =
        std::variant<Undefined, None, bool, std::int64_t, double, std::string, std::shared_ptr<const List>,
                     std::shared_ptr<Mapping>, std::shared_ptr<const Function>>;
    explicit Value(Data data) : data_(std::move(data)) {}

    void hold(const Value& inner);

    Data data_;
    int depth_ = 0;
    std::size_t held_weight_ = 0;
    bool holds_namespace_ = false;
};

} // namespace vitrine::chat
