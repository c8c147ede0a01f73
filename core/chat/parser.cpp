#include "core/chat/parser.h"

#include <algorithm>
#include <initializer_list>

#include <fmt/format.h>

#include "core/chat/expression_parser.h"

namespace vitrine::chat {

namespace {

using Kind = Statement::Kind;
using Lex = LexToken::Kind;
using Made = Result<std::unique_ptr<Statement>>;

constexpr int deepest = 80;

std::unique_ptr<Statement> make(Kind kind, int line) {
    auto statement = std::make_unique<Statement>();
    statement->kind = kind;
    statement->line = line;
    return statement;
}

class Parser {
public:
    explicit Parser(std::vector<LexToken> tokens) : tokens_(std::move(tokens)), expressions_(tokens_) {}

    Result<Block> run() {
        VITRINE_ASSIGN(Block block, statements({}));
        return block;
    }

private:
    /// Statements up to a block that begins with one of `ends`, whose "{%" and name are then taken; or to the
    /// end of the template if there is none to wait for.
    Result<Block> statements(std::initializer_list<std::string_view> ends) {
        const int line = tokens_.line();
        if (++depth_ > deepest) return template_error(line, "blocks are nested too deep");
        Block block;
        while (!tokens_.is(Lex::end)) {
            if (tokens_.is(Lex::block_begin) &&
                std::find(ends.begin(), ends.end(), tokens_.ahead().text) != ends.end()) {
                tokens_.take();
                end_ = tokens_.take().text;
                --depth_;
                return block;
            }
            VITRINE_ASSIGN(auto next, statement());
            block.push_back(std::move(next));
        }
        --depth_;
        if (ends.size() == 0) return block;
        return template_error(line, fmt::format("a block has no \"{}\"", *(ends.end() - 1)));
    }

    Status close() { return tokens_.need(Lex::block_end, "\"%}\""); }

    /// A body and the end of its block.
    Status body(Statement& statement, std::string_view end) {
        VITRINE_TRY(close());
        VITRINE_ASSIGN(statement.body, statements({end}));
        return close();
    }

    Made statement() {
        const LexToken token = tokens_.take();
        if (token.kind == Lex::text) {
            auto text = make(Kind::text, token.line);
            text->text = token.text;
            return text;
        }
        if (token.kind == Lex::print_begin) {
            auto print = make(Kind::print, token.line);
            VITRINE_ASSIGN(print->expression, expressions_.parse_tuple());
            VITRINE_TRY(tokens_.need(Lex::print_end, "\"}}\""));
            return print;
        }
        VITRINE_ASSIGN(const std::string name, tokens_.need_any_name("the name of a block"));
        if (name == "if") return if_(token.line);
        if (name == "for") return for_(token.line);
        if (name == "set") return set(token.line);
        if (name == "macro") return macro(token.line);
        if (name == "call") return call(token.line);
        if (name == "filter") return filter(token.line);
        if (name == "generation") { // marks what the assistant says, for training
            auto block = make(Kind::block, token.line);
            VITRINE_TRY(body(*block, "endgeneration"));
            return block;
        }
        if (name == "break" || name == "continue") {
            auto jump = make(name == "break" ? Kind::break_ : Kind::continue_, token.line);
            VITRINE_TRY(close());
            return jump;
        }
        if (name.starts_with("end") || name == "else" || name == "elif")
            return template_error(token.line, fmt::format("\"{}\" closes nothing", name));
        return fail(Code::unsupported,
                    fmt::format("The chat template uses the block \"{}\" in line {}, which Vitrine "
                                "does not know.",
                                name, token.line));
    }

    Made if_(int line) {
        auto result = make(Kind::if_, line);
        VITRINE_ASSIGN(result->expression, expressions_.parse_tuple());
        VITRINE_TRY(close());
        VITRINE_ASSIGN(result->body, statements({"elif", "else", "endif"}));
        if (end_ == "elif") {
            if (++depth_ > deepest) return template_error(line, "there are too many \"elif\"");
            VITRINE_ASSIGN(auto other, if_(tokens_.line())); // takes the "endif" too
            --depth_;
            result->otherwise.push_back(std::move(other));
            return result;
        }
        if (end_ == "else") {
            VITRINE_TRY(close());
            VITRINE_ASSIGN(result->otherwise, statements({"endif"}));
        }
        VITRINE_TRY(close());
        return result;
    }

    Status targets(Statement& statement) {
        const bool bracket = tokens_.take_symbol("(");
        do {
            VITRINE_ASSIGN(std::string name, tokens_.need_any_name("a name"));
            statement.targets.push_back(std::move(name));
        } while (tokens_.take_symbol(","));
        if (bracket) VITRINE_TRY(tokens_.need_symbol(")"));
        return {};
    }

    Made for_(int line) {
        auto result = make(Kind::for_, line);
        VITRINE_TRY(targets(*result));
        if (!tokens_.take_name("in"))
            return template_error(line, fmt::format("\"in\" is expected, but {}", tokens_.shown()));
        VITRINE_ASSIGN(result->expression, expressions_.parse_tuple(false));
        if (tokens_.take_name("if")) {
            VITRINE_ASSIGN(result->condition, expressions_.parse());
        }
        if (tokens_.is_name("recursive"))
            return fail(
                Code::unsupported,
                fmt::format(
                    "The chat template uses a recursive loop in line {}, which Vitrine does not know.",
                    line));
        VITRINE_TRY(close());
        VITRINE_ASSIGN(result->body, statements({"else", "endfor"}));
        if (end_ == "else") {
            VITRINE_TRY(close());
            VITRINE_ASSIGN(result->otherwise, statements({"endfor"}));
        }
        VITRINE_TRY(close());
        return result;
    }

    Made set(int line) {
        auto result = make(Kind::set, line);
        VITRINE_TRY(targets(*result));
        if (result->targets.size() == 1 && tokens_.take_symbol(".")) {
            VITRINE_ASSIGN(result->text, tokens_.need_any_name("a name"));
        }
        if (tokens_.take_symbol("=")) {
            VITRINE_ASSIGN(result->expression, expressions_.parse_tuple());
            VITRINE_TRY(close());
            return result;
        }
        if (tokens_.take_symbol("|")) { // filters of the printed body
            VITRINE_ASSIGN(result->condition, expressions_.parse_filters());
        }
        VITRINE_TRY(body(*result, "endset"));
        return result;
    }

    Status parameters(Statement& statement) {
        VITRINE_TRY(tokens_.need_symbol("("));
        while (!tokens_.take_symbol(")")) {
            Parameter parameter;
            VITRINE_ASSIGN(parameter.first, tokens_.need_any_name("a parameter"));
            if (tokens_.take_symbol("=")) {
                VITRINE_ASSIGN(parameter.second, expressions_.parse());
            }
            statement.parameters.push_back(std::move(parameter));
            if (!tokens_.is_symbol(")")) VITRINE_TRY(tokens_.need_symbol(","));
        }
        return {};
    }

    Made macro(int line) {
        auto result = make(Kind::macro, line);
        VITRINE_ASSIGN(result->text, tokens_.need_any_name("the name of a macro"));
        VITRINE_TRY(parameters(*result));
        VITRINE_TRY(body(*result, "endmacro"));
        return result;
    }

    Made call(int line) {
        auto result = make(Kind::call, line);
        if (tokens_.is_symbol("(")) VITRINE_TRY(parameters(*result));
        VITRINE_ASSIGN(result->expression, expressions_.parse());
        if (result->expression->kind != Expression::Kind::call)
            return template_error(line, "\"call\" needs a call");
        VITRINE_TRY(body(*result, "endcall"));
        return result;
    }

    Made filter(int line) {
        auto result = make(Kind::filter, line);
        VITRINE_ASSIGN(result->expression, expressions_.parse_filters());
        VITRINE_TRY(body(*result, "endfilter"));
        return result;
    }

    TokenStream tokens_;
    ExpressionParser expressions_;
    std::string end_; ///< the name that closed the last block
    int depth_ = 0;
};

} // namespace

Result<Block> parse(std::string_view source) {
    VITRINE_ASSIGN(auto tokens, lex(source));
    return Parser(std::move(tokens)).run();
}

} // namespace vitrine::chat
