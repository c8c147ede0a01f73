#pragma once
#include <string_view>
#include <utility>
#include <vector>

#include "core/chat/lexer.h"

namespace vitrine::chat {

/// The tokens of a template on their way through the parsers.
class TokenStream {
public:
    explicit TokenStream(std::vector<LexToken> tokens) : tokens_(std::move(tokens)) {}

    const LexToken& now() const { return tokens_[at_]; }
    const LexToken& ahead() const { return tokens_[at_ + 1 < tokens_.size() ? at_ + 1 : at_]; }
    int line() const { return now().line; }
    LexToken take() {
        LexToken token = tokens_[at_];
        if (at_ + 1 < tokens_.size()) ++at_;
        return token;
    }

    bool is(LexToken::Kind kind) const { return now().kind == kind; }
    bool is_symbol(std::string_view text) const { return is(LexToken::Kind::symbol) && now().text == text; }
    bool is_name(std::string_view text) const { return is(LexToken::Kind::name) && now().text == text; }

    bool take_symbol(std::string_view text) {
        const bool fits = is_symbol(text);
        if (fits) take();
        return fits;
    }
    bool take_name(std::string_view text) {
        const bool fits = is_name(text);
        if (fits) take();
        return fits;
    }

    Status need_symbol(std::string_view text);
    Status need(LexToken::Kind kind, std::string_view what);
    Result<std::string> need_any_name(std::string_view what);

    /// What stands here, for error sentences.
    std::string shown() const;

private:
    std::vector<LexToken> tokens_;
    std::size_t at_ = 0;
};

} // namespace vitrine::chat
