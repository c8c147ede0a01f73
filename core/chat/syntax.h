#pragma once
// What a chat template is made of once it is parsed.
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "core/chat/value.h"

namespace vitrine::chat {

struct Expression;
using ExpressionPtr = std::unique_ptr<Expression>;

struct Expression {
    enum class Kind {
        literal,    ///< value
        name,       ///< text
        list,       ///< parts
        dict,       ///< parts: key, value, key, value …
        attribute,  ///< parts[0].text
        item,       ///< parts[0][parts[1]]
        slice,      ///< parts[0][parts[1]:parts[2]:parts[3]], each may be null
        call,       ///< parts[0](parts[1] …, named)
        filter,     ///< parts[0] | text(parts[1] …, named)
        test,       ///< parts[0] is text(parts[1] …)
        unary,      ///< text: - + not
        binary,     ///< text: + - * / // % ** ~ and or in, not in
        compare,    ///< parts[0] names[0] parts[1] names[1] parts[2] … : a < b <= c
        conditional ///< parts[0] if parts[1] else parts[2], the last may be null
    };
    Kind kind = Kind::literal;
    int line = 1;
    std::string text;
    Value value;
    std::vector<ExpressionPtr> parts;
    std::vector<std::pair<std::string, ExpressionPtr>> named;
    std::vector<std::string> operators; ///< of a comparison
};

struct Statement;
using Block = std::vector<std::unique_ptr<Statement>>;

/// A parameter of a macro and its default, which may be null.
using Parameter = std::pair<std::string, ExpressionPtr>;

struct Statement {
    enum class Kind {
        text,   ///< text
        print,  ///< expression
        if_,    ///< expression, body, otherwise
        for_,   ///< targets in expression if condition: body, otherwise (of an empty list)
        set,    ///< targets = expression; text: attribute of a namespace; without expression: body
        macro,  ///< text(parameters): body
        call,   ///< expression with the body as caller(parameters)
        filter, ///< expression: a chain of filters around the printed body
        block,  ///< body as it is
        break_,
        continue_,
    };
    Kind kind = Kind::text;
    int line = 1;
    std::string text;
    std::vector<std::string> targets;
    ExpressionPtr expression;
    ExpressionPtr condition;
    std::vector<Parameter> parameters;
    Block body;
    Block otherwise;
};

} // namespace vitrine::chat
