#include "core/run/selector.h"

#include <charconv>
#include <optional>

#include <fmt/format.h>

namespace vitrine::run {

namespace {

std::optional<int> number(std::string_view text) {
    int value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (text.empty() || error != std::errc() || end != text.data() + text.size()) return std::nullopt;
    return value;
}

std::optional<SelectorRange> range(std::string_view text) {
    const std::size_t colon = text.find(':');
    if (colon == std::string_view::npos) {
        const auto value = number(text);
        return value ? std::optional(SelectorRange{*value, 0, true}) : std::nullopt;
    }
    const auto begin = number(text.substr(0, colon));
    const auto end = number(text.substr(colon + 1));
    return begin && end ? std::optional(SelectorRange{*begin, *end, false}) : std::nullopt;
}

} // namespace

Result<Selector> parse_selector(std::string_view text, bool words) {
    Selector selector;
    if (text == "all") return selector;
    selector.all = false;
    if (words && text == "prompt") selector.word = SelectorWord::prompt;
    if (words && text == "new") selector.word = SelectorWord::generated;
    if (words && text == "nonspecial") selector.word = SelectorWord::nonspecial;
    if (selector.word != SelectorWord::none) return selector;
    std::size_t begin = 0;
    while (begin <= text.size()) {
        const std::size_t comma = std::min(text.find(',', begin), text.size());
        const auto part = range(text.substr(begin, comma - begin));
        if (!part)
            return fail(Code::usage,
                        fmt::format("\"{}\" is no selection: write all, a number, a list 1,4 or a range "
                                    "2:5 (its end is left out){}.",
                                    text, words ? ", prompt, new or nonspecial" : ""));
        selector.ranges.push_back(*part);
        begin = comma + 1;
    }
    return selector;
}

std::string to_text(const Selector& selector) {
    if (selector.all) return "all";
    if (selector.word == SelectorWord::prompt) return "prompt";
    if (selector.word == SelectorWord::generated) return "new";
    if (selector.word == SelectorWord::nonspecial) return "nonspecial";
    std::string text;
    for (const SelectorRange& range : selector.ranges) {
        if (!text.empty()) text += ',';
        text += range.single ? fmt::format("{}", range.begin) : fmt::format("{}:{}", range.begin, range.end);
    }
    return text;
}

std::vector<int> indices(const Selector& selector, int size, int from_end) {
    const int base = from_end >= 0 ? from_end : size;
    std::vector<int> found;
    if (selector.all) {
        for (int i = 0; i < size; ++i)
            found.push_back(i);
        return found;
    }
    for (const SelectorRange& range : selector.ranges) {
        const int begin = range.begin < 0 ? range.begin + base : range.begin;
        const int stop = range.end < 0 ? range.end + base : range.end;
        const int end = range.single ? begin + 1 : stop;
        for (int i = std::max(begin, 0); i < std::min(end, size); ++i)
            found.push_back(i);
    }
    return found;
}

} // namespace vitrine::run
