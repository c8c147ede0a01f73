#include "core/tokenizer/trim_offsets.h"

#include "core/tokenizer/byte_level.h"
#include "core/tokenizer/unicode.h"

namespace vitrine::tokenizer {

namespace {

bool is_space(char32_t value) { return value == byte_characters()[' '] || is_whitespace(value); }

int leading_spaces(std::string_view spelled) {
    int count = 0;
    for (std::size_t at = 0; at < spelled.size(); ++count) {
        const CodePoint c = decode_at(spelled, at);
        if (!is_space(c.value)) break;
        at += c.bytes;
    }
    return count;
}

int trailing_spaces(std::string_view spelled) {
    int count = 0;
    for (std::size_t end = spelled.size(); end > 0; ++count) {
        const std::size_t last = character_before(spelled, end);
        if (!is_space(decode_at(spelled, last).value)) break;
        end = last;
    }
    return count;
}

} // namespace

void trim_offsets(std::vector<Item>& items, std::string_view text, bool prefix_space) {
    bool first = true; // until a token that stands for text has been seen
    for (Item& item : items) {
        if (item.inserted) continue;
        int leading = leading_spaces(item.spelled);
        const int trailing = trailing_spaces(item.spelled);
        Span& span = item.span;
        if (prefix_space && leading == 1 && (first || span.start == 0)) leading = 0;
        first = false;
        for (; leading > 0 && span.start < span.end; --leading) {
            ++span.start;
            while (span.start < span.end && is_continuation(text[span.start]))
                ++span.start;
        }
        for (int i = 0; i < trailing && span.end > span.start; ++i) {
            --span.end;
            while (span.end > span.start && is_continuation(text[span.end]))
                --span.end;
        }
    }
}

} // namespace vitrine::tokenizer
