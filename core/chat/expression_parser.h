#pragma once
#include "core/chat/syntax.h"
#include "core/chat/token_stream.h"

namespace vitrine::chat {

/// Parses expressions with Jinja's precedences.
class ExpressionParser {
public:
    explicit ExpressionParser(TokenStream& tokens) : tokens_(tokens) {}

    /// One expression; without `conditional` an "if" behind it is left alone.
    Result<ExpressionPtr> parse(bool conditional = true);

    /// Expressions with commas between them are a list.
    Result<ExpressionPtr> parse_tuple(bool conditional = true);

    /// "name(…) | name …" with nothing before it: parts[0] of the innermost filter is null.
    Result<ExpressionPtr> parse_filters();

private:
    using Made = Result<ExpressionPtr>;
    Made logical(bool conjunction);
    Made negation();
    Made comparison();
    Made chain(int level);
    Made unary(bool with_filters);
    Made power();
    Made primary();
    Made postfix(ExpressionPtr expression);
    Made filters(ExpressionPtr expression);
    Made call(ExpressionPtr expression);
    Made filter(ExpressionPtr expression);
    Made test(ExpressionPtr expression);
    Made subscript(ExpressionPtr expression);
    Made list_until(std::string_view close, ExpressionPtr list);
    Made dictionary();
    Status arguments(Expression& call);

    Status link(); ///< counts what makes trees deep although nothing is nested: a + b + c …

    TokenStream& tokens_;
    int depth_ = 0;
    int links_ = 0;
};

} // namespace vitrine::chat
