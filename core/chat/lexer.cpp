#include "core/chat/lexer.h"

#include <algorithm>
#include <array>
#include <charconv>

#include <fmt/format.h>

#include "core/chat/text.h"
#include "core/tokenizer/unicode.h"

namespace vitrine::chat {

namespace {

using Kind = LexToken::Kind;

bool is_name_start(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' ||
           static_cast<unsigned char>(c) >= 0x80;
}
bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_blank(char c) { return c == ' ' || (c >= '\t' && c <= '\r'); }

class Lexer {
public:
    explicit Lexer(std::string_view source) {
        source_ = replace(replace(source, "\r\n", "\n", -1), "\r", "\n", -1);
        if (source_.ends_with('\n')) source_.pop_back();
        rest_ = source_;
    }

    Result<std::vector<LexToken>> run() && {
        while (true) {
            const std::size_t at = next_tag();
            if (at == std::string_view::npos) break;
            VITRINE_TRY(tag(at));
        }
        add_text(rest_);
        add(Kind::end, "");
        return std::move(tokens_);
    }

private:
    /// The next {{, {% or {#.
    std::size_t next_tag() const {
        for (std::size_t at = rest_.find('{'); at != std::string_view::npos; at = rest_.find('{', at + 1))
            if (at + 1 < rest_.size() &&
                (rest_[at + 1] == '{' || rest_[at + 1] == '%' || rest_[at + 1] == '#'))
                return at;
        return std::string_view::npos;
    }

    void add(Kind kind, std::string text) { tokens_.push_back({kind, std::move(text), line_}); }
    void add_text(std::string_view text) {
        if (!text.empty()) add(Kind::text, std::string(text));
    }

    void advance(std::size_t bytes) {
        line_ += static_cast<int>(
            std::count(rest_.begin(), rest_.begin() + static_cast<std::ptrdiff_t>(bytes), '\n'));
        rest_.remove_prefix(bytes);
    }

    /// The text before a tag and the tag itself.
    Status tag(std::size_t at) {
        const char kind = rest_[at + 1];
        const char sign = at + 2 < rest_.size() ? rest_[at + 2] : ' ';
        std::string_view text = rest_.substr(0, at);
        if (sign == '-') {
            text = strip(text, std::nullopt, false, true);
        } else if (sign != '+' && kind != '{') {
            const std::size_t line = text.rfind('\n') + 1; // 0 without a line end
            if ((line > 0 || at_line_start_) &&
                std::all_of(text.begin() + static_cast<std::ptrdiff_t>(line), text.end(), is_blank))
                text = text.substr(0, line);
        }
        add_text(text);
        advance(at + 2 + (sign == '-' || (sign == '+' && kind != '{') ? 1 : 0));
        if (kind == '#') return comment();
        if (kind == '{') return expression(Kind::print_begin, Kind::print_end, "}}");
        const std::size_t first = tokens_.size();
        VITRINE_TRY(expression(Kind::block_begin, Kind::block_end, "%}"));
        if (tokens_.size() == first + 3 && tokens_[first + 1].text == "raw") return raw(first);
        return {};
    }

    /// What follows the end of a tag: "-" before it takes white space, a block a line end.
    void after_tag(bool minus, bool plus, bool takes_line_end) {
        std::size_t taken = 0;
        if (minus)
            taken = rest_.size() - strip(rest_, std::nullopt, true, false).size();
        else if (takes_line_end && !plus && rest_.starts_with('\n'))
            taken = 1;
        at_line_start_ = taken > 0 && rest_[taken - 1] == '\n';
        advance(taken);
    }

    Status comment() {
        const std::size_t end = rest_.find("#}");
        if (end == std::string_view::npos) return template_error(line_, "a comment has no end");
        const char sign = end > 0 ? rest_[end - 1] : ' ';
        advance(end + 2);
        after_tag(sign == '-', sign == '+', true);
        return {};
    }

    /// Everything up to {% endraw %} is text.
    Status raw(std::size_t first) {
        const int line = tokens_[first].line;
        tokens_.resize(first);
        for (std::size_t at = rest_.find("{%"); at != std::string_view::npos; at = rest_.find("{%", at + 2)) {
            std::string_view inside = rest_.substr(at + 2);
            const bool minus_before = inside.starts_with('-');
            if (minus_before || inside.starts_with('+')) inside.remove_prefix(1);
            inside = strip(inside, std::nullopt, true, false);
            if (!inside.starts_with("endraw")) continue;
            inside = strip(inside.substr(6), std::nullopt, true, false);
            const bool minus = inside.starts_with('-');
            const bool plus = inside.starts_with('+');
            if (minus || plus) inside.remove_prefix(1);
            if (!inside.starts_with("%}")) continue;
            std::string_view text = rest_.substr(0, at);
            if (minus_before) text = strip(text, std::nullopt, false, true);
            add_text(text);
            advance(rest_.size() - inside.size() + 2);
            after_tag(minus, plus, true);
            return {};
        }
        return template_error(line, "\"raw\" has no \"endraw\"");
    }

    Status expression(Kind begin, Kind end, std::string_view close) {
        const int line = line_;
        add(begin, "");
        int depth = 0; // of brackets: "}}" may close two dictionaries
        while (true) {
            while (!rest_.empty() && is_blank(rest_.front()))
                advance(1);
            if (rest_.empty()) return template_error(line, "a tag has no end");
            if (depth == 0) {
                const bool sign = rest_.front() == '-' || (rest_.front() == '+' && close == "%}");
                if (rest_.substr(sign ? 1 : 0).starts_with(close)) {
                    const char mark = rest_.front();
                    advance(close.size() + (sign ? 1 : 0));
                    add(end, "");
                    after_tag(sign && mark == '-', sign && mark == '+', close == "%}");
                    return {};
                }
            }
            VITRINE_TRY(inside(depth));
        }
    }

    Status inside(int& depth) {
        const char c = rest_.front();
        if (is_name_start(c)) {
            std::size_t end = 1;
            while (end < rest_.size() && (is_name_start(rest_[end]) || is_digit(rest_[end])))
                ++end;
            add(Kind::name, std::string(rest_.substr(0, end)));
            advance(end);
            return {};
        }
        if (is_digit(c)) return number();
        if (c == '"' || c == '\'') return text_literal(c);
        constexpr std::array<std::string_view, 6> pairs{"//", "**", "==", "!=", ">=", "<="};
        const bool is_pair = std::find(pairs.begin(), pairs.end(), rest_.substr(0, 2)) != pairs.end();
        constexpr std::string_view single = "+-*/%~[](){}<>=.:|,;";
        if (!is_pair && single.find(c) == std::string_view::npos)
            return template_error(line_, fmt::format("unexpected character \"{}\"", c));
        if (c == '[' || c == '(' || c == '{') ++depth;
        if (c == ']' || c == ')' || c == '}') --depth;
        if (depth < 0) return template_error(line_, fmt::format("\"{}\" closes nothing", c));
        add(Kind::symbol, std::string(rest_.substr(0, is_pair ? 2 : 1)));
        advance(is_pair ? 2 : 1);
        return {};
    }

    Status number() {
        std::size_t end = 0;
        std::string digits;
        bool real = false;
        const auto take_digits = [&] {
            while (end < rest_.size() && (is_digit(rest_[end]) || rest_[end] == '_')) {
                if (rest_[end] != '_') digits += rest_[end];
                ++end;
            }
        };
        take_digits();
        if (end + 1 < rest_.size() && rest_[end] == '.' && is_digit(rest_[end + 1])) {
            real = true;
            digits += rest_[end++];
            take_digits();
        }
        if (end + 1 < rest_.size() && (rest_[end] == 'e' || rest_[end] == 'E')) {
            const std::size_t sign = rest_[end + 1] == '-' || rest_[end + 1] == '+' ? 1 : 0;
            if (end + 1 + sign < rest_.size() && is_digit(rest_[end + 1 + sign])) {
                real = true;
                digits += rest_.substr(end, 1 + sign);
                end += 1 + sign;
                take_digits();
            }
        }
        add(real ? Kind::real : Kind::integer, std::move(digits));
        advance(end);
        return {};
    }

    Status text_literal(char quote) {
        const int line = line_;
        std::string text;
        std::size_t at = 1;
        while (at < rest_.size() && rest_[at] != quote) {
            if (rest_[at] != '\\' || at + 1 >= rest_.size()) {
                text += rest_[at++];
                continue;
            }
            at += 1;
            escape(at, text);
        }
        if (at >= rest_.size()) return template_error(line, "a text has no closing quote");
        add(Kind::text_literal, std::move(text));
        advance(at + 1);
        return {};
    }

    /// What stands behind a backslash at `at`, which moves on.
    void escape(std::size_t& at, std::string& text) const {
        constexpr std::string_view letters = "nrtabfv\\'\"";
        constexpr std::string_view meanings = "\n\r\t\a\b\f\v\\'\"";
        const char c = rest_[at++];
        if (const auto known = letters.find(c); known != std::string_view::npos) {
            text += meanings[known];
            return;
        }
        if (c == '\n') return;
        const bool octal = c >= '0' && c <= '7';
        const std::size_t most = c == 'x' ? 2 : c == 'u' ? 4 : c == 'U' ? 8 : octal ? 3 : 0;
        const std::size_t from = octal ? at - 1 : at;
        unsigned value = 0;
        const auto digits = rest_.substr(std::min(from, rest_.size()), most);
        const auto [end, error] =
            std::from_chars(digits.data(), digits.data() + digits.size(), value, octal ? 8 : 16);
        const auto length = static_cast<std::size_t>(end - digits.data());
        const bool complete = error == std::errc() && (octal || length == most);
        if (most == 0 || !complete || value > 0x10FFFF || (value >= 0xD800 && value < 0xE000)) {
            text += {'\\', c};
            return;
        }
        tokenizer::append_utf8(text, value);
        at = from + length;
    }

    std::string source_;
    std::string_view rest_;
    std::vector<LexToken> tokens_;
    int line_ = 1;
    bool at_line_start_ = true;
};

} // namespace

Result<std::vector<LexToken>> lex(std::string_view source) { return Lexer(source).run(); }

tl::unexpected<Error> template_error(int line, std::string_view what) {
    return fail(Code::malformed, fmt::format("The chat template is wrong in line {}: {}.", line, what));
}

} // namespace vitrine::chat
