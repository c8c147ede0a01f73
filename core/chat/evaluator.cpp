#include "core/chat/evaluator.h"

#include <unordered_map>
#include <utility>

#include <fmt/format.h>

#include "core/chat/builtins.h"
#include "core/chat/lexer.h"

namespace vitrine::chat {

namespace {

constexpr std::size_t longest_output = std::size_t{1} << 26;
constexpr std::size_t parts_a_step = 64; // bytes of texts, values of lists: long ones are more than one step
constexpr std::size_t most_arguments = 255;
constexpr int deepest_call = 40;
constexpr std::int64_t longest_range = 100'000;
constexpr int deepest_value = 100;

using Frame = std::unordered_map<std::string, Value>;

/// The sentence of a built-in with the line of its call.
bool is_sentence(std::string_view text) {
    return text.ends_with('.') || text.ends_with('!') || text.ends_with('?');
}

tl::unexpected<Error> with_line(Error error, int line) {
    if (error.message.starts_with("The chat template")) return tl::unexpected(std::move(error));
    if (error.code == Code::usage)
        return fail(Code::malformed,
                    fmt::format("The chat template refuses this conversation (line {}): {}{}", line,
                                error.message, is_sentence(error.message) ? "" : "."));
    return fail(error.code, fmt::format("The chat template fails in line {}: {}.", line, error.message));
}

Result<Value> make_range(const Arguments& arguments) {
    std::vector<std::int64_t> numbers;
    for (const Value& value : arguments.places)
        numbers.push_back(value.as_integer());
    if (numbers.empty() || numbers.size() > 3)
        return fail(Code::malformed, "\"range\" takes one to three numbers");
    const std::int64_t begin = numbers.size() > 1 ? numbers[0] : 0;
    const std::int64_t end = numbers.size() > 1 ? numbers[1] : numbers[0];
    const std::int64_t step = numbers.size() > 2 ? numbers[2] : 1;
    if (step == 0) return fail(Code::malformed, "the step of \"range\" is zero");
    List list;
    for (std::int64_t at = begin; step > 0 ? at < end : at > end; at += step) {
        if (static_cast<std::int64_t>(list.size()) == longest_range)
            return fail(Code::too_large, "a range is too long");
        list.emplace_back(at);
    }
    return Value(std::move(list));
}

Result<Value> make_dict(const Arguments& arguments, bool is_namespace) {
    Dict entries;
    if (!arguments.places.empty() && arguments.places[0].dict() != nullptr)
        entries = *arguments.places[0].dict();
    for (const auto& entry : arguments.names) {
        if (entry.second.holds_namespace())
            return fail(Code::malformed, "a namespace stands in a list or dictionary");
        entries.push_back(entry);
    }
    return Value(std::move(entries), is_namespace);
}

Dict globals() {
    return {{"range", Value(Function(make_range))},
            {"namespace", Value(Function([](const Arguments& a) { return make_dict(a, true); }))},
            {"dict", Value(Function([](const Arguments& a) { return make_dict(a, false); }))},
            {"raise_exception", Value(Function([](const Arguments& a) -> Result<Value> {
                 return fail(Code::usage, a.places.empty() ? "no reason is given" : a.places[0].printed());
             }))}};
}

class Evaluator {
public:
    Evaluator(const Dict& variables, std::size_t most_steps) : most_steps_(most_steps) {
        frames_.emplace_back();
        for (auto& [name, value] : globals())
            frames_.front().insert_or_assign(name, std::move(value));
        for (const auto& [name, value] : variables)
            frames_.front().insert_or_assign(name, value);
    }

    Result<Rendered> run(const Block& block) {
        VITRINE_ASSIGN(const Flow flow, run_block(block));
        (void)flow;
        return Rendered{std::move(output_), std::move(roles_)};
    }

private:
    enum class Flow { goes_on, breaks, continues };

    Status step(int line) {
        if (++steps_ > most_steps_ || output_.size() > longest_output)
            return fail(Code::too_large,
                        fmt::format("The chat template does not come to an end (line {}).", line));
        return {};
    }

    Value look_up(const std::string& name) const {
        for (auto frame = frames_.rbegin(); frame != frames_.rend(); ++frame)
            if (const auto found = frame->find(name); found != frame->end()) return found->second;
        return Value::undefined(name);
    }

    // --- statements

    Result<Flow> run_block(const Block& block) {
        for (const auto& statement : block) {
            VITRINE_ASSIGN(const Flow flow, run_statement(*statement));
            if (flow != Flow::goes_on) return flow;
        }
        return Flow::goes_on;
    }

    /// What a block prints, as a text.
    Result<std::string> captured(const Block& block) {
        std::string outside = std::exchange(output_, std::string());
        ++captures_;
        frames_.emplace_back();
        const auto flow = run_block(block);
        frames_.pop_back();
        --captures_;
        std::string text = std::exchange(output_, std::move(outside));
        if (!flow) return tl::unexpected(flow.error());
        return text;
    }

    Result<Flow> run_statement(const Statement& statement) {
        VITRINE_TRY(step(statement.line));
        switch (statement.kind) {
        case Statement::Kind::text:
            output_ += statement.text;
            return Flow::goes_on;
        case Statement::Kind::print: {
            VITRINE_ASSIGN(const Value value, evaluate(*statement.expression));
            output_ += value.printed();
            return Flow::goes_on;
        }
        case Statement::Kind::if_: {
            VITRINE_ASSIGN(const Value value, evaluate(*statement.expression));
            return run_block(value.is_true() ? statement.body : statement.otherwise);
        }
        case Statement::Kind::for_:
            return run_for(statement);
        case Statement::Kind::set:
            VITRINE_TRY(run_set(statement));
            return Flow::goes_on;
        case Statement::Kind::macro:
            frames_.back().insert_or_assign(statement.text, macro(statement, statement.text));
            return Flow::goes_on;
        case Statement::Kind::call: {
            frames_.emplace_back();
            frames_.back().insert_or_assign("caller", macro(statement, "caller"));
            const auto value = evaluate(*statement.expression);
            frames_.pop_back();
            if (!value) return tl::unexpected(value.error());
            output_ += value->printed();
            return Flow::goes_on;
        }
        case Statement::Kind::filter: {
            VITRINE_ASSIGN(std::string text, captured(statement.body));
            VITRINE_ASSIGN(const Value value, filtered(*statement.expression, Value(std::move(text))));
            output_ += value.printed();
            return Flow::goes_on;
        }
        case Statement::Kind::block:
            return run_block(statement.body);
        case Statement::Kind::break_:
            return Flow::breaks;
        case Statement::Kind::continue_:
            return Flow::continues;
        }
        return Flow::goes_on;
    }

    Status assign(const std::vector<std::string>& targets, const Value& value, int line) {
        if (value.depth() > deepest_value) return template_error(line, "a value is nested too deep");
        if (targets.size() == 1) {
            frames_.back().insert_or_assign(targets[0], value);
            return {};
        }
        auto parts = values_of(value);
        if (!parts) return with_line(parts.error(), line);
        if (parts->size() != targets.size())
            return template_error(line, fmt::format("{} values for {} names", parts->size(), targets.size()));
        for (std::size_t i = 0; i < targets.size(); ++i)
            frames_.back().insert_or_assign(targets[i], (*parts)[i]);
        return {};
    }

    Status run_set(const Statement& statement) {
        Value value;
        if (statement.expression) {
            VITRINE_ASSIGN(value, evaluate(*statement.expression));
        } else {
            VITRINE_ASSIGN(std::string text, captured(statement.body));
            value = Value(std::move(text));
            if (statement.condition) {
                VITRINE_ASSIGN(value, filtered(*statement.condition, std::move(value)));
            }
        }
        if (statement.text.empty()) return assign(statement.targets, value, statement.line);
        const Value holder = look_up(statement.targets[0]);
        Value::Mapping* const mapping = holder.mapping();
        if (mapping == nullptr || !mapping->is_namespace)
            return template_error(statement.line,
                                  fmt::format("\"{}\" is no namespace", statement.targets[0]));
        if (value.holds_namespace() || value.depth() > deepest_value)
            return template_error(statement.line,
                                  "a namespace cannot hold a namespace or a value nested so deep");
        for (auto& [name, member] : mapping->entries)
            if (name == statement.text) {
                member = std::move(value);
                return {};
            }
        mapping->entries.emplace_back(statement.text, std::move(value));
        return {};
    }

    static Value loop_of(const List& list, std::size_t at) {
        const auto index = static_cast<std::int64_t>(at);
        const auto size = static_cast<std::int64_t>(list.size());
        const auto cycle = [index](const Arguments& arguments) -> Result<Value> {
            if (arguments.places.empty())
                return fail(Code::malformed, "\"cycle\" has nothing to choose from");
            return arguments.places[static_cast<std::size_t>(index) % arguments.places.size()];
        };
        return Value(
            Dict{{"index", Value(index + 1)},
                 {"index0", Value(index)},
                 {"revindex", Value(size - index)},
                 {"revindex0", Value(size - index - 1)},
                 {"first", Value(index == 0)},
                 {"last", Value(index + 1 == size)},
                 {"length", Value(size)},
                 {"depth", Value(std::int64_t{1})},
                 {"previtem", at > 0 ? list[at - 1] : Value::undefined("loop.previtem")},
                 {"nextitem", at + 1 < list.size() ? list[at + 1] : Value::undefined("loop.nextitem")},
                 {"cycle", Value(Function(cycle))}},
            true);
    }

    Result<Flow> run_for(const Statement& statement) {
        VITRINE_ASSIGN(const Value source, evaluate(*statement.expression));
        auto values = values_of(source);
        if (!values) return with_line(values.error(), statement.line);
        List list = std::move(*values);
        if (statement.condition) {
            List chosen;
            for (Value& value : list) {
                frames_.emplace_back();
                auto assigned = assign(statement.targets, value, statement.line);
                auto fits = assigned ? evaluate(*statement.condition) : tl::unexpected(assigned.error());
                frames_.pop_back();
                if (!fits) return tl::unexpected(fits.error());
                if (fits->is_true()) chosen.push_back(std::move(value));
            }
            list = std::move(chosen);
        }
        if (list.empty()) return run_block(statement.otherwise);
        for (std::size_t i = 0; i < list.size(); ++i) {
            VITRINE_TRY(step(statement.line));
            const std::size_t begin = output_.size();
            const Value* const role = captures_ == 0 && !in_message_ ? list[i].member("role") : nullptr;
            const bool is_message = role != nullptr && role->text() != nullptr;
            in_message_ = in_message_ || is_message;
            frames_.emplace_back();
            auto flow = assign(statement.targets, list[i], statement.line).and_then([&]() -> Result<Flow> {
                frames_.back().insert_or_assign("loop", loop_of(list, i));
                return run_block(statement.body);
            });
            frames_.pop_back();
            if (is_message) {
                in_message_ = false;
                if (output_.size() > begin) roles_.push_back({*role->text(), begin, output_.size()});
            }
            if (!flow) return tl::unexpected(flow.error());
            if (*flow == Flow::breaks) break;
        }
        return Flow::goes_on;
    }

    /// A macro sees its arguments and what the outermost level knows.
    Value macro(const Statement& statement, const std::string& name) {
        return Value(Function([this, &statement, name](const Arguments& arguments) -> Result<Value> {
            if (++calls_ > deepest_call)
                return template_error(statement.line, fmt::format("\"{}\" calls itself too often", name));
            Frame frame;
            for (std::size_t i = 0; i < statement.parameters.size(); ++i) {
                const auto& [parameter, fallback] = statement.parameters[i];
                Value value = Value::undefined(parameter);
                if (const Value* const given = arguments.find(i, parameter)) {
                    value = *given;
                } else if (fallback) {
                    VITRINE_ASSIGN(value, evaluate(*fallback));
                }
                frame.insert_or_assign(parameter, std::move(value));
            }
            for (const auto& [key, value] : arguments.names)
                if (key == "caller") frame.insert_or_assign(key, value);
            if (name != "caller" && !frames_.empty()) {
                const Value caller = look_up("caller");
                if (!caller.is_undefined()) frame.try_emplace("caller", caller);
            }
            std::vector<Frame> outside;
            if (name != "caller") { // a caller's body stands where it was written
                outside.assign(std::make_move_iterator(frames_.begin() + 1),
                               std::make_move_iterator(frames_.end()));
                frames_.resize(1);
            }
            frames_.push_back(std::move(frame));
            auto text = captured(statement.body);
            frames_.pop_back();
            for (Frame& held : outside)
                frames_.push_back(std::move(held));
            --calls_;
            if (!text) return tl::unexpected(text.error());
            return Value(std::move(*text));
        }));
    }

    // --- expressions

    Result<Value> evaluate(const Expression& e) {
        VITRINE_TRY(step(e.line));
        return bounded(evaluate_unbounded(e), e.line);
    }

    /// A value that is not too large. Texts and lists are copied as they are used.
    Result<Value> bounded(Result<Value> value, int line) {
        if (!value) return value;
        if (value->weight() > largest_value)
            return fail(Code::too_large,
                        fmt::format("The chat template makes too large a value (line {}).", line));
        const std::size_t copied = value->text() != nullptr   ? value->text()->size()
                                   : value->list() != nullptr ? value->list()->size()
                                                              : 0;
        steps_ += copied / parts_a_step;
        return value;
    }

    Result<Value> evaluate_unbounded(const Expression& e) {
        using Kind = Expression::Kind;
        switch (e.kind) {
        case Kind::literal:
            return e.value;
        case Kind::name:
            return look_up(e.text);
        case Kind::list: {
            List list;
            for (const auto& part : e.parts) {
                VITRINE_ASSIGN(Value value, evaluate(*part));
                if (value.holds_namespace()) return held_namespace(e.line);
                list.push_back(std::move(value));
            }
            return Value(std::move(list));
        }
        case Kind::dict:
            return dictionary(e);
        case Kind::attribute: {
            VITRINE_ASSIGN(const Value object, evaluate(*e.parts[0]));
            return placed(attribute_of(object, e.text), e.line);
        }
        case Kind::item: {
            VITRINE_ASSIGN(const Value object, evaluate(*e.parts[0]));
            VITRINE_ASSIGN(const Value key, evaluate(*e.parts[1]));
            return placed(item_of(object, key), e.line);
        }
        case Kind::slice: {
            std::vector<Value> parts;
            for (const auto& part : e.parts) {
                Value value = Value::none();
                if (part) {
                    VITRINE_ASSIGN(value, evaluate(*part));
                }
                parts.push_back(std::move(value));
            }
            return placed(slice_of(parts[0], parts[1], parts[2], parts[3]), e.line);
        }
        case Kind::call: {
            VITRINE_ASSIGN(const Value callee, evaluate(*e.parts[0]));
            if (callee.function() == nullptr)
                return template_error(e.line,
                                      callee.is_undefined()
                                          ? fmt::format("\"{}\" is undefined", callee.undefined_name())
                                          : fmt::format("{} cannot be called", callee.kind()));
            VITRINE_ASSIGN(const Arguments arguments, arguments_of(e));
            return placed((*callee.function())(arguments), e.line);
        }
        case Kind::filter: {
            VITRINE_ASSIGN(Value value, evaluate(*e.parts[0]));
            VITRINE_ASSIGN(const Arguments arguments, arguments_of(e));
            return placed(apply_filter(e.text, value, arguments), e.line);
        }
        case Kind::test: {
            VITRINE_ASSIGN(const Value value, evaluate(*e.parts[0]));
            VITRINE_ASSIGN(const Arguments arguments, arguments_of(e));
            return placed(apply_test(e.text, value, arguments).map([](bool fits) { return Value(fits); }),
                          e.line);
        }
        case Kind::unary: {
            VITRINE_ASSIGN(const Value value, evaluate(*e.parts[0]));
            if (e.text == "not") return Value(!value.is_true());
            return placed(operate(e.text, Value(std::int64_t{0}), value), e.line);
        }
        case Kind::binary:
            return binary(e);
        case Kind::compare:
            return comparison(e);
        case Kind::conditional: {
            VITRINE_ASSIGN(const Value condition, evaluate(*e.parts[1]));
            if (condition.is_true()) return evaluate(*e.parts[0]);
            if (!e.parts[2]) return Value::undefined("the inline if");
            return evaluate(*e.parts[2]);
        }
        }
        return Value();
    }

    static Result<Value> placed(Result<Value> value, int line) {
        if (!value) return with_line(std::move(value.error()), line);
        return value;
    }

    /// What holds a namespace would change with it, its weight too.
    static tl::unexpected<Error> held_namespace(int line) {
        return template_error(line, "a namespace stands in a list or dictionary");
    }

    Result<Value> dictionary(const Expression& e) {
        Dict entries;
        for (std::size_t i = 0; i + 1 < e.parts.size(); i += 2) {
            VITRINE_ASSIGN(const Value key, evaluate(*e.parts[i]));
            VITRINE_ASSIGN(Value value, evaluate(*e.parts[i + 1]));
            if (key.text() == nullptr) return template_error(e.line, "a key of a dictionary is no text");
            if (value.holds_namespace()) return held_namespace(e.line);
            std::erase_if(entries, [&](const auto& entry) { return entry.first == *key.text(); });
            entries.emplace_back(*key.text(), std::move(value));
        }
        return Value(std::move(entries));
    }

    Result<Value> binary(const Expression& e) {
        VITRINE_ASSIGN(Value left, evaluate(*e.parts[0]));
        if (e.text == "and" && !left.is_true()) return left;
        if (e.text == "or" && left.is_true()) return left;
        VITRINE_ASSIGN(Value right, evaluate(*e.parts[1]));
        if (e.text == "and" || e.text == "or") return right;
        return placed(operate(e.text, left, right), e.line);
    }

    Result<Value> comparison(const Expression& e) {
        VITRINE_ASSIGN(Value left, evaluate(*e.parts[0]));
        for (std::size_t i = 0; i < e.operators.size(); ++i) {
            VITRINE_ASSIGN(Value right, evaluate(*e.parts[i + 1]));
            const auto holds = compare(e.operators[i], left, right);
            if (!holds) return with_line(holds.error(), e.line);
            if (!*holds) return Value(false);
            left = std::move(right);
        }
        return Value(true);
    }

    Result<Arguments> arguments_of(const Expression& e) {
        if (e.parts.size() + e.named.size() > most_arguments)
            return template_error(e.line, "a call has too many arguments");
        Arguments arguments;
        for (std::size_t i = 1; i < e.parts.size(); ++i) {
            VITRINE_ASSIGN(Value value, evaluate(*e.parts[i]));
            arguments.places.push_back(std::move(value));
        }
        for (const auto& [name, expression] : e.named) {
            VITRINE_ASSIGN(Value value, evaluate(*expression));
            arguments.names.emplace_back(name, std::move(value));
        }
        return arguments;
    }

    /// A chain of filters whose innermost has nothing before it.
    Result<Value> filtered(const Expression& e, Value value) {
        if (e.kind != Expression::Kind::filter) return template_error(e.line, "only filters can stand here");
        if (e.parts[0]) {
            VITRINE_ASSIGN(value, filtered(*e.parts[0], std::move(value)));
        }
        VITRINE_ASSIGN(const Arguments arguments, arguments_of(e));
        return bounded(placed(apply_filter(e.text, value, arguments), e.line), e.line);
    }

    const std::size_t most_steps_;
    std::vector<Frame> frames_; // the first: variables and what the outermost level sets
    std::string output_;
    std::vector<RoleSpan> roles_;
    std::size_t steps_ = 0;
    int captures_ = 0; // how many texts are being captured within each other
    int calls_ = 0;
    bool in_message_ = false;
};

} // namespace

Result<Rendered> render(const Block& block, const Dict& variables, std::size_t most_steps) {
    return Evaluator(variables, most_steps).run(block);
}

} // namespace vitrine::chat
