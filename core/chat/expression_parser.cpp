#include "core/chat/expression_parser.h"

#include <charconv>

#include <fmt/format.h>

namespace vitrine::chat {

namespace {

using Kind = Expression::Kind;
using Lex = LexToken::Kind;

constexpr int deepest = 100;
constexpr int longest_chain = 1000; // links: each name and each operator is one

ExpressionPtr make(Kind kind, int line, std::string text = {}) {
    auto expression = std::make_unique<Expression>();
    expression->kind = kind;
    expression->line = line;
    expression->text = std::move(text);
    return expression;
}

ExpressionPtr literal(Value value, int line) {
    auto expression = make(Kind::literal, line);
    expression->value = std::move(value);
    return expression;
}

ExpressionPtr binary(std::string text, int line, ExpressionPtr left, ExpressionPtr right) {
    auto expression = make(Kind::binary, line, std::move(text));
    expression->parts.push_back(std::move(left));
    expression->parts.push_back(std::move(right));
    return expression;
}

/// Counts how deep expressions are nested within each other.
class Depth {
public:
    explicit Depth(int& depth) : depth_(++depth) {}
    Depth(const Depth&) = delete;
    Depth& operator=(const Depth&) = delete;
    ~Depth() { --depth_; }

private:
    int& depth_;
};

} // namespace

Result<ExpressionPtr> ExpressionParser::parse(bool conditional) {
    const Depth depth(depth_);
    const int line = tokens_.line();
    if (depth_ == 1) links_ = 0;
    if (depth_ > deepest) return template_error(line, "expressions are nested too deep");
    VITRINE_ASSIGN(ExpressionPtr value, logical(false));
    while (conditional && tokens_.is_name("if")) {
        VITRINE_TRY(link());
        tokens_.take();
        auto choice = make(Kind::conditional, line);
        VITRINE_ASSIGN(ExpressionPtr condition, logical(false));
        ExpressionPtr otherwise;
        if (tokens_.take_name("else")) {
            VITRINE_ASSIGN(otherwise, parse());
        }
        choice->parts.push_back(std::move(value));
        choice->parts.push_back(std::move(condition));
        choice->parts.push_back(std::move(otherwise));
        value = std::move(choice);
    }
    return value;
}

Result<ExpressionPtr> ExpressionParser::parse_tuple(bool conditional) {
    const int line = tokens_.line();
    VITRINE_ASSIGN(ExpressionPtr first, parse(conditional));
    if (!tokens_.is_symbol(",")) return first;
    auto list = make(Kind::list, line);
    list->parts.push_back(std::move(first));
    while (tokens_.take_symbol(",")) {
        if (tokens_.is(Lex::block_end) || tokens_.is(Lex::print_end)) break;
        VITRINE_ASSIGN(ExpressionPtr next, parse(conditional));
        list->parts.push_back(std::move(next));
    }
    return list;
}

Result<ExpressionPtr> ExpressionParser::parse_filters() {
    VITRINE_ASSIGN(ExpressionPtr expression, filter(nullptr));
    return filters(std::move(expression));
}

Status ExpressionParser::link() {
    if (++links_ > longest_chain) return template_error(tokens_.line(), "an expression is too long");
    return {};
}

Result<ExpressionPtr> ExpressionParser::logical(bool conjunction) {
    const char* const word = conjunction ? "and" : "or";
    VITRINE_ASSIGN(ExpressionPtr left, conjunction ? negation() : logical(true));
    while (tokens_.is_name(word)) {
        VITRINE_TRY(link());
        const int line = tokens_.take().line;
        VITRINE_ASSIGN(ExpressionPtr right, conjunction ? negation() : logical(true));
        left = binary(word, line, std::move(left), std::move(right));
    }
    return left;
}

Result<ExpressionPtr> ExpressionParser::negation() {
    if (!tokens_.is_name("not")) return comparison();
    const Depth depth(depth_);
    auto expression = make(Kind::unary, tokens_.take().line, "not");
    if (depth_ > deepest) return template_error(expression->line, "expressions are nested too deep");
    VITRINE_ASSIGN(ExpressionPtr inner, negation());
    expression->parts.push_back(std::move(inner));
    return expression;
}

Result<ExpressionPtr> ExpressionParser::comparison() {
    const int line = tokens_.line();
    VITRINE_ASSIGN(ExpressionPtr first, chain(0));
    auto all = make(Kind::compare, line);
    all->parts.push_back(std::move(first));
    while (true) {
        std::string word;
        for (const char* symbol : {"==", "!=", "<=", ">=", "<", ">"})
            if (word.empty() && tokens_.take_symbol(symbol)) word = symbol;
        if (word.empty() && tokens_.take_name("in")) word = "in";
        if (word.empty() && tokens_.is_name("not") && tokens_.ahead().text == "in") {
            tokens_.take();
            tokens_.take();
            word = "not in";
        }
        if (word.empty()) break;
        VITRINE_ASSIGN(ExpressionPtr next, chain(0));
        all->operators.push_back(std::move(word));
        all->parts.push_back(std::move(next));
    }
    if (all->operators.empty()) return std::move(all->parts.front());
    return all;
}

/// Level 0: + -, 1: ~, 2: * / // %, tighter than that: **.
Result<ExpressionPtr> ExpressionParser::chain(int level) {
    if (level == 3) return power();
    VITRINE_ASSIGN(ExpressionPtr left, chain(level + 1));
    while (tokens_.is(Lex::symbol)) {
        const std::string& text = tokens_.now().text;
        const bool fits = level == 0   ? text == "+" || text == "-"
                          : level == 1 ? text == "~"
                                       : text == "*" || text == "/" || text == "//" || text == "%";
        if (!fits) break;
        VITRINE_TRY(link());
        const LexToken symbol = tokens_.take();
        VITRINE_ASSIGN(ExpressionPtr right, chain(level + 1));
        left = binary(symbol.text, symbol.line, std::move(left), std::move(right));
    }
    return left;
}

Result<ExpressionPtr> ExpressionParser::power() {
    VITRINE_ASSIGN(ExpressionPtr left, unary(true));
    while (tokens_.is_symbol("**")) {
        VITRINE_TRY(link());
        const int line = tokens_.take().line;
        VITRINE_ASSIGN(ExpressionPtr right, unary(true));
        left = binary("**", line, std::move(left), std::move(right));
    }
    return left;
}

Result<ExpressionPtr> ExpressionParser::unary(bool with_filters) {
    const Depth depth(depth_);
    if (depth_ > deepest) return template_error(tokens_.line(), "expressions are nested too deep");
    ExpressionPtr expression;
    if (tokens_.is_symbol("-") || tokens_.is_symbol("+")) {
        const LexToken sign = tokens_.take();
        expression = make(Kind::unary, sign.line, sign.text);
        VITRINE_ASSIGN(ExpressionPtr inner, unary(false));
        expression->parts.push_back(std::move(inner));
    } else {
        VITRINE_ASSIGN(expression, primary());
        VITRINE_ASSIGN(expression, postfix(std::move(expression)));
    }
    return with_filters ? filters(std::move(expression)) : std::move(expression);
}

Result<ExpressionPtr> ExpressionParser::primary() {
    const LexToken token = tokens_.now();
    switch (token.kind) {
    case Lex::name:
        tokens_.take();
        if (token.text == "true" || token.text == "True") return literal(Value(true), token.line);
        if (token.text == "false" || token.text == "False") return literal(Value(false), token.line);
        if (token.text == "none" || token.text == "None") return literal(Value::none(), token.line);
        return make(Kind::name, token.line, token.text);
    case Lex::text_literal: {
        std::string text;
        while (tokens_.is(Lex::text_literal)) // neighbours are one text
            text += tokens_.take().text;
        return literal(Value(std::move(text)), token.line);
    }
    case Lex::integer: {
        tokens_.take();
        std::int64_t number = 0;
        const auto [end, error] =
            std::from_chars(token.text.data(), token.text.data() + token.text.size(), number);
        if (error != std::errc() || end != token.text.data() + token.text.size())
            return template_error(token.line, fmt::format("the number {} is too large", token.text));
        return literal(Value(number), token.line);
    }
    case Lex::real: {
        tokens_.take();
        double number = 0;
        std::from_chars(token.text.data(), token.text.data() + token.text.size(), number);
        return literal(Value(number), token.line);
    }
    default:
        break;
    }
    if (tokens_.take_symbol("[")) return list_until("]", make(Kind::list, token.line));
    if (tokens_.take_symbol("{")) return dictionary();
    if (tokens_.take_symbol("(")) {
        if (tokens_.take_symbol(")")) return make(Kind::list, token.line);
        VITRINE_ASSIGN(ExpressionPtr inner, parse());
        if (!tokens_.is_symbol(",")) {
            VITRINE_TRY(tokens_.need_symbol(")"));
            return inner;
        }
        tokens_.take();
        auto list = make(Kind::list, token.line);
        list->parts.push_back(std::move(inner));
        return list_until(")", std::move(list));
    }
    return template_error(token.line, fmt::format("an expression is expected, but {}", tokens_.shown()));
}

Result<ExpressionPtr> ExpressionParser::list_until(std::string_view close, ExpressionPtr list) {
    while (!tokens_.take_symbol(close)) {
        VITRINE_ASSIGN(ExpressionPtr next, parse());
        list->parts.push_back(std::move(next));
        if (!tokens_.is_symbol(close)) VITRINE_TRY(tokens_.need_symbol(","));
    }
    return list;
}

Result<ExpressionPtr> ExpressionParser::dictionary() {
    auto dict = make(Kind::dict, tokens_.line());
    while (!tokens_.take_symbol("}")) {
        VITRINE_ASSIGN(ExpressionPtr key, parse());
        VITRINE_TRY(tokens_.need_symbol(":"));
        VITRINE_ASSIGN(ExpressionPtr value, parse());
        dict->parts.push_back(std::move(key));
        dict->parts.push_back(std::move(value));
        if (!tokens_.is_symbol("}")) VITRINE_TRY(tokens_.need_symbol(","));
    }
    return dict;
}

Result<ExpressionPtr> ExpressionParser::postfix(ExpressionPtr expression) {
    while (true) {
        const int line = tokens_.line();
        VITRINE_TRY(link());
        if (tokens_.take_symbol(".")) {
            ExpressionPtr next;
            if (tokens_.is(Lex::integer)) { // list.0
                next = make(Kind::item, line);
                VITRINE_ASSIGN(ExpressionPtr index, primary());
                next->parts.push_back(std::move(expression));
                next->parts.push_back(std::move(index));
            } else {
                VITRINE_ASSIGN(std::string name, tokens_.need_any_name("a name"));
                next = make(Kind::attribute, line, std::move(name));
                next->parts.push_back(std::move(expression));
            }
            expression = std::move(next);
        } else if (tokens_.take_symbol("[")) {
            VITRINE_ASSIGN(expression, subscript(std::move(expression)));
        } else if (tokens_.is_symbol("(")) {
            VITRINE_ASSIGN(expression, call(std::move(expression)));
        } else {
            return expression;
        }
    }
}

Result<ExpressionPtr> ExpressionParser::subscript(ExpressionPtr expression) {
    const int line = tokens_.line();
    std::vector<ExpressionPtr> parts;
    bool is_slice = false;
    ExpressionPtr part;
    while (!tokens_.is_symbol("]")) {
        if (tokens_.take_symbol(":")) {
            is_slice = true;
            parts.push_back(std::move(part));
            continue;
        }
        if (part) return template_error(line, fmt::format("\"]\" is expected, but {}", tokens_.shown()));
        VITRINE_ASSIGN(part, parse());
    }
    tokens_.take();
    parts.push_back(std::move(part));
    if (parts.size() > 3 || (!is_slice && !parts.front()))
        return template_error(line, "\"[…]\" holds no index");
    auto result = make(is_slice ? Kind::slice : Kind::item, line);
    result->parts.push_back(std::move(expression));
    for (auto& bound : parts)
        result->parts.push_back(std::move(bound));
    if (is_slice) result->parts.resize(4);
    return result;
}

Status ExpressionParser::arguments(Expression& call) {
    VITRINE_TRY(tokens_.need_symbol("("));
    while (!tokens_.take_symbol(")")) {
        if (tokens_.is(Lex::name) && tokens_.ahead().kind == Lex::symbol && tokens_.ahead().text == "=") {
            std::string name = tokens_.take().text;
            tokens_.take();
            VITRINE_ASSIGN(ExpressionPtr value, parse());
            call.named.emplace_back(std::move(name), std::move(value));
        } else {
            VITRINE_ASSIGN(ExpressionPtr value, parse());
            call.parts.push_back(std::move(value));
        }
        if (!tokens_.is_symbol(")")) VITRINE_TRY(tokens_.need_symbol(","));
    }
    return {};
}

Result<ExpressionPtr> ExpressionParser::filters(ExpressionPtr expression) {
    while (true) {
        VITRINE_TRY(link());
        if (tokens_.take_symbol("|")) {
            VITRINE_ASSIGN(expression, filter(std::move(expression)));
        } else if (tokens_.is_name("is")) {
            tokens_.take();
            VITRINE_ASSIGN(expression, test(std::move(expression)));
        } else if (tokens_.is_symbol("(")) {
            VITRINE_ASSIGN(expression, call(std::move(expression)));
        } else {
            return expression;
        }
    }
}

Result<ExpressionPtr> ExpressionParser::call(ExpressionPtr expression) {
    auto result = make(Kind::call, tokens_.line());
    result->parts.push_back(std::move(expression));
    VITRINE_TRY(arguments(*result));
    return result;
}

Result<ExpressionPtr> ExpressionParser::filter(ExpressionPtr expression) {
    const int line = tokens_.line();
    VITRINE_ASSIGN(std::string name, tokens_.need_any_name("the name of a filter"));
    auto result = make(Kind::filter, line, std::move(name));
    result->parts.push_back(std::move(expression));
    if (tokens_.is_symbol("(")) VITRINE_TRY(arguments(*result));
    return result;
}

Result<ExpressionPtr> ExpressionParser::test(ExpressionPtr expression) {
    const int line = tokens_.line();
    const bool negated = tokens_.take_name("not");
    VITRINE_ASSIGN(std::string name, tokens_.need_any_name("the name of a test"));
    auto result = make(Kind::test, line, std::move(name));
    result->parts.push_back(std::move(expression));
    const bool argument = tokens_.is(Lex::text_literal) || tokens_.is(Lex::integer) ||
                          tokens_.is(Lex::real) || tokens_.is_symbol("[") || tokens_.is_symbol("{") ||
                          (tokens_.is(Lex::name) && !tokens_.is_name("else") && !tokens_.is_name("or") &&
                           !tokens_.is_name("and") && !tokens_.is_name("if") && !tokens_.is_name("is") &&
                           !tokens_.is_name("in") && !tokens_.is_name("not"));
    if (tokens_.is_symbol("(")) {
        VITRINE_TRY(arguments(*result));
    } else if (argument) {
        VITRINE_ASSIGN(ExpressionPtr value, primary());
        VITRINE_ASSIGN(value, postfix(std::move(value)));
        result->parts.push_back(std::move(value));
    }
    if (!negated) return result;
    auto negation = make(Kind::unary, line, "not");
    negation->parts.push_back(std::move(result));
    return negation;
}

} // namespace vitrine::chat
