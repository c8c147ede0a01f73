#include "core/tokenizer/regex.h"

#include <array>
#include <utility>

#include <fmt/format.h>

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

namespace vitrine::tokenizer {

namespace {

constexpr std::size_t longest_pattern = 20000;

struct FreeMatchData {
    void operator()(pcre2_match_data* data) const { pcre2_match_data_free(data); }
};

/// One match at a time is looked for per thread, and only where the whole match lies is asked.
pcre2_match_data* match_data() {
    thread_local const std::unique_ptr<pcre2_match_data, FreeMatchData> data(
        pcre2_match_data_create(1, nullptr));
    return data.get();
}

struct Spelling {
    char letter;
    std::string_view inside;  ///< as part of a [class]
    std::string_view negated; ///< the class that the capital letter stands for, outside of a [class]
};

// PCRE2 10.42 counts U+180E as a space, leaves marks out of \w, and takes \h for horizontal space.
constexpr std::array<Spelling, 3> spellings{
    {{'s', R"(\t-\r \x{85}\x{A0}\x{1680}\x{2000}-\x{200A}\x{2028}\x{2029}\x{202F}\x{205F}\x{3000})",
      R"([^\t-\r \x{85}\x{A0}\x{1680}\x{2000}-\x{200A}\x{2028}\x{2029}\x{202F}\x{205F}\x{3000}])"},
     {'w', R"(\p{L}\p{M}\p{N}\p{Pc})", R"([^\p{L}\p{M}\p{N}\p{Pc}])"},
     {'h', "0-9A-Fa-f", "[^0-9A-Fa-f]"}}};

} // namespace

struct Regex::Code {
    pcre2_code* compiled = nullptr;
    Code() = default;
    Code(const Code&) = delete;
    Code& operator=(const Code&) = delete;
    ~Code() { pcre2_code_free(compiled); }
};

std::string from_oniguruma(std::string_view pattern) {
    std::string result;
    bool in_class = false;
    for (std::size_t i = 0; i < pattern.size(); ++i) {
        const char c = pattern[i];
        if (c == '\\' && i + 1 < pattern.size()) {
            const char escaped = pattern[++i];
            std::string_view spelled;
            for (const auto& [letter, inside, negated] : spellings) {
                if (escaped == letter) {
                    result += in_class ? std::string(inside) : fmt::format("[{}]", inside);
                    spelled = inside;
                } else if (!in_class && escaped == letter - 'a' + 'A') {
                    result += negated;
                    spelled = negated;
                }
            }
            if (spelled.empty()) result += {'\\', escaped};
            continue;
        }
        if (in_class && pattern.substr(i, 2) == "[:") { // [:alpha:] and the like stand inside a class
            const std::size_t close = pattern.find(":]", i);
            const std::size_t end = close == std::string_view::npos ? pattern.size() : close + 2;
            result += pattern.substr(i, end - i);
            i = end - 1;
            continue;
        }
        if (c == '[') in_class = true;
        if (c == ']') in_class = false;
        result += c;
    }
    return result;
}

Result<Regex> Regex::compile(std::string_view pattern, std::string_view where) {
    if (pattern.size() > longest_pattern)
        return fail(vitrine::Code::too_large,
                    fmt::format("{} has a regular expression of {} bytes; {} is the limit.", where,
                                pattern.size(), longest_pattern));
    const std::string text = from_oniguruma(pattern);
    int error = 0;
    PCRE2_SIZE at = 0;
    auto code = std::make_shared<Regex::Code>();
    code->compiled = pcre2_compile(reinterpret_cast<PCRE2_SPTR>(text.data()), text.size(),
                                   PCRE2_UTF | PCRE2_UCP | PCRE2_MULTILINE | PCRE2_NEVER_BACKSLASH_C, &error,
                                   &at, nullptr);
    if (code->compiled == nullptr) {
        std::array<PCRE2_UCHAR, 256> message{};
        pcre2_get_error_message(error, message.data(), message.size());
        return fail(vitrine::Code::malformed,
                    fmt::format("{} has a regular expression that PCRE2 does not accept: {}.", where,
                                reinterpret_cast<const char*>(message.data())));
    }
    pcre2_jit_compile(code->compiled, PCRE2_JIT_COMPLETE); // without a JIT the interpreter runs it
    Regex regex;
    regex.code_ = std::move(code);
    return regex;
}

Result<std::optional<Range>> Regex::search(std::string_view text, std::size_t from) const {
    const auto run = [&](std::uint32_t options) {
        return pcre2_match(code_->compiled, reinterpret_cast<PCRE2_SPTR>(text.data()), text.size(), from,
                           PCRE2_NO_UTF_CHECK | options, match_data(), nullptr);
    };
    int found = run(0);
    if (found == PCRE2_ERROR_JIT_STACKLIMIT) found = run(PCRE2_NO_JIT); // the interpreter uses the heap
    if (found == PCRE2_ERROR_NOMATCH) return std::nullopt;
    if (found < 0)
        return fail(
            vitrine::Code::unsupported,
            fmt::format("The tokenizer's regular expression takes too many steps on this text (PCRE2 error "
                        "{}).",
                        found));
    const PCRE2_SIZE* const ends = pcre2_get_ovector_pointer(match_data());
    // \K in a look-ahead may put the start behind the end; nothing sensible matches there.
    if (ends[0] > ends[1]) return std::nullopt;
    return Range{ends[0], ends[1]};
}

} // namespace vitrine::tokenizer
