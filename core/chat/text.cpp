#include "core/chat/text.h"

#include <algorithm>
#include <limits>

#include "core/chat/value.h"
#include "core/tokenizer/unicode.h"

namespace vitrine::chat {

namespace {

bool is_space(std::string_view character) {
    const char32_t value = tokenizer::decode_at(character, 0).value;
    return tokenizer::is_whitespace(value) || (value >= 0x1C && value <= 0x1F);
}

std::string mapped(std::string_view text, std::u32string (*map)(char32_t)) {
    std::string result;
    for (const auto character : characters(text))
        for (const char32_t value : map(tokenizer::decode_at(character, 0).value))
            tokenizer::append_utf8(result, value);
    return result;
}

bool is_letter(std::string_view character) { return lower(character) != upper(character); }

} // namespace

std::int64_t length(std::string_view text) {
    return std::count_if(text.begin(), text.end(),
                         [](char byte) { return !tokenizer::is_continuation(byte); });
}

std::vector<std::string_view> characters(std::string_view text) {
    std::vector<std::string_view> list;
    for (std::size_t at = 0; at < text.size();) {
        const std::size_t bytes = std::min(tokenizer::character_bytes(text[at]), text.size() - at);
        list.push_back(text.substr(at, bytes));
        at += bytes;
    }
    return list;
}

std::string_view strip(std::string_view text, std::optional<std::string_view> set, bool left, bool right) {
    const auto goes = [&](std::string_view character) {
        return set ? set->find(character) != std::string_view::npos : is_space(character);
    };
    while (left && !text.empty()) {
        const auto first = text.substr(0, tokenizer::character_bytes(text.front()));
        if (!goes(first)) break;
        text.remove_prefix(first.size());
    }
    while (right && !text.empty()) {
        const auto last = text.substr(tokenizer::character_before(text, text.size()));
        if (!goes(last)) break;
        text.remove_suffix(last.size());
    }
    return text;
}

std::vector<std::string> split(std::string_view text, std::optional<std::string_view> separator,
                               std::int64_t limit, bool from_right) {
    std::vector<std::string> parts;
    const auto more = [&] { return limit < 0 || static_cast<std::int64_t>(parts.size()) < limit; };
    if (!separator) {
        text = strip(text, std::nullopt, !from_right, from_right);
        while (!text.empty()) {
            const auto all = characters(text);
            const auto ends = [](std::string_view character) { return is_space(character); };
            std::size_t word = 0; // bytes
            if (from_right)
                for (auto at = all.rbegin(); at != all.rend() && !ends(*at); ++at)
                    word += at->size();
            else
                for (auto at = all.begin(); at != all.end() && !ends(*at); ++at)
                    word += at->size();
            if (!more()) { // the rest as it is
                parts.emplace_back(text);
                break;
            }
            parts.emplace_back(from_right ? text.substr(text.size() - word) : text.substr(0, word));
            if (from_right)
                text = strip(text.substr(0, text.size() - word), std::nullopt, false, true);
            else
                text = strip(text.substr(word), std::nullopt, true, false);
        }
    } else {
        while (more() && !separator->empty()) {
            const std::size_t at = from_right ? text.rfind(*separator) : text.find(*separator);
            if (at == std::string_view::npos) break;
            if (from_right) {
                parts.emplace_back(text.substr(at + separator->size()));
                text = text.substr(0, at);
            } else {
                parts.emplace_back(text.substr(0, at));
                text = text.substr(at + separator->size());
            }
        }
        parts.emplace_back(text);
    }
    if (from_right) std::reverse(parts.begin(), parts.end());
    return parts;
}

std::vector<std::string> split_lines(std::string_view text) {
    std::vector<std::string> lines;
    while (!text.empty()) {
        const std::size_t end = std::min(text.find_first_of("\n\r"), text.size());
        lines.emplace_back(text.substr(0, end));
        const std::size_t taken = text.substr(end, 2) == "\r\n" ? 2 : 1;
        text.remove_prefix(std::min(end + taken, text.size()));
    }
    return lines;
}

std::string replace(std::string_view text, std::string_view old, std::string_view by, std::int64_t limit) {
    if (limit < 0) limit = std::numeric_limits<std::int64_t>::max();
    std::string result;
    if (old.empty()) { // between all characters
        for (const auto character : characters(text)) {
            if (result.size() > largest_value) return result;
            if (limit-- != 0) result += by;
            result += character;
        }
        if (limit != 0) result += by;
        return result;
    }
    while (limit-- != 0 && result.size() <= largest_value) {
        const std::size_t at = text.find(old);
        if (at == std::string_view::npos) break;
        result += text.substr(0, at);
        result += by;
        text.remove_prefix(at + old.size());
    }
    return result.append(text);
}

std::string lower(std::string_view text) { return mapped(text, tokenizer::lower_case); }
std::string upper(std::string_view text) { return mapped(text, tokenizer::upper_case); }

std::string title(std::string_view text) {
    std::string result;
    bool in_word = false;
    for (const auto character : characters(text)) {
        result += in_word ? lower(character) : upper(character);
        in_word = is_letter(character);
    }
    return result;
}

std::string capitalize(std::string_view text) {
    if (text.empty()) return {};
    const std::size_t first = tokenizer::character_bytes(text.front());
    return upper(text.substr(0, first)) + lower(text.substr(first));
}

std::string indent(std::string_view text, std::int64_t width, bool first, bool blank) {
    const std::string space(static_cast<std::size_t>(std::clamp<std::int64_t>(width, 0, 1000)), ' ');
    std::string result;
    const auto lines = split(text, "\n", -1, false);
    for (std::size_t i = 0; i < lines.size() && result.size() <= largest_value; ++i) {
        if (i > 0) result += '\n';
        if (i == 0 ? first : (blank || !lines[i].empty())) result += space;
        result += lines[i];
    }
    return result;
}

} // namespace vitrine::chat
