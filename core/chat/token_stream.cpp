#include "core/chat/token_stream.h"

#include <fmt/format.h>

namespace vitrine::chat {

std::string TokenStream::shown() const {
    switch (now().kind) {
    case LexToken::Kind::end:
        return "the template ends";
    case LexToken::Kind::text:
        return "text follows";
    case LexToken::Kind::print_begin:
        return "\"{{\" follows";
    case LexToken::Kind::print_end:
        return "\"}}\" follows";
    case LexToken::Kind::block_begin:
        return "\"{%\" follows";
    case LexToken::Kind::block_end:
        return "\"%}\" follows";
    default:
        return fmt::format("\"{}\" follows", now().text);
    }
}

Status TokenStream::need_symbol(std::string_view text) {
    if (take_symbol(text)) return {};
    return template_error(line(), fmt::format("\"{}\" is expected, but {}", text, shown()));
}

Status TokenStream::need(LexToken::Kind kind, std::string_view what) {
    if (!is(kind)) return template_error(line(), fmt::format("{} is expected, but {}", what, shown()));
    take();
    return {};
}

Result<std::string> TokenStream::need_any_name(std::string_view what) {
    if (!is(LexToken::Kind::name))
        return template_error(line(), fmt::format("{} is expected, but {}", what, shown()));
    return take().text;
}

} // namespace vitrine::chat
