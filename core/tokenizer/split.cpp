#include "core/tokenizer/split.h"

#include <algorithm>

#include <fmt/format.h>

#include "core/tokenizer/unicode.h"

namespace vitrine::tokenizer {

namespace {

struct Part {
    Range range;
    bool match = false;
};

/// Matches and the gaps between them, in order.
std::vector<Part> all_parts(std::string_view text, const std::vector<Range>& matches, bool invert) {
    std::vector<Part> parts;
    std::size_t done = 0;
    for (const Range& match : matches) {
        if (match.begin > done) parts.push_back({{done, match.begin}, invert});
        parts.push_back({match, !invert});
        done = match.end;
    }
    if (done < text.size()) parts.push_back({{done, text.size()}, invert});
    return parts;
}

/// Joins neighbours where `joins(part, previous was a match)` says so.
template <typename Joins>
std::vector<Part> joined(const std::vector<Part>& parts, Joins joins) {
    std::vector<Part> result;
    bool previous = false;
    for (const Part& part : parts) {
        if (!result.empty() && joins(part.match, previous)) {
            Range& last = result.back().range;
            last = {std::min(last.begin, part.range.begin), std::max(last.end, part.range.end)};
        } else {
            result.push_back(part);
        }
        previous = part.match;
    }
    return result;
}

Result<std::vector<Range>> find_regex(const Regex& regex, std::string_view text) {
    std::vector<Range> matches;
    std::size_t from = 0;
    while (from <= text.size()) {
        VITRINE_ASSIGN(const auto match, regex.search(text, from));
        if (!match) break;
        const bool empty = match->begin == match->end;
        if (empty && !matches.empty() && matches.back().end == match->end) {
            from += from < text.size() ? character_bytes(text[from]) : 1;
            continue;
        }
        matches.push_back(*match);
        from = match->end;
    }
    return matches;
}

} // namespace

Result<SplitBehaviour> read_behaviour(const Component& component, const char* key, SplitBehaviour fallback) {
    VITRINE_ASSIGN(const std::string name, component.text(key, ""));
    if (name.empty()) return fallback;
    if (name == "Removed") return SplitBehaviour::removed;
    if (name == "Isolated") return SplitBehaviour::isolated;
    if (name == "MergedWithPrevious") return SplitBehaviour::merged_with_previous;
    if (name == "MergedWithNext") return SplitBehaviour::merged_with_next;
    if (name == "Contiguous") return SplitBehaviour::contiguous;
    return fail(Code::malformed,
                fmt::format("{}: \"{}\" has the unknown value \"{}\".", component.where(), key, name));
}

Result<std::vector<Range>> find_all(const Pattern& pattern, std::string_view text) {
    if (pattern.regex) return find_regex(*pattern.regex, text);
    std::vector<Range> matches;
    if (pattern.text.empty()) return matches;
    for (std::size_t at = text.find(pattern.text); at != std::string_view::npos;
         at = text.find(pattern.text, at + pattern.text.size()))
        matches.push_back({at, at + pattern.text.size()});
    return matches;
}

std::vector<Range> find_characters(std::string_view text, bool (*fits)(char32_t)) {
    std::vector<Range> matches;
    for (std::size_t at = 0; at < text.size();) {
        const CodePoint c = decode_at(text, at);
        if (fits(c.value)) matches.push_back({at, at + c.bytes});
        at += c.bytes;
    }
    return matches;
}

void split_at(std::string_view text, const std::vector<Range>& matches, SplitBehaviour behaviour, bool invert,
              std::size_t offset, std::vector<Range>& parts) {
    const auto add = [&](const Range& range) {
        if (range.end > range.begin) parts.push_back({offset + range.begin, offset + range.end});
    };
    if (behaviour == SplitBehaviour::isolated) { // the common case, without a copy
        std::size_t done = 0;
        for (const Range& match : matches) {
            add({done, match.begin});
            add(match);
            done = match.end;
        }
        return add({done, text.size()});
    }
    std::vector<Part> all = all_parts(text, matches, invert);
    const auto joins_new_match = [](bool match, bool previous) { return match && !previous; };
    switch (behaviour) {
    case SplitBehaviour::removed:
        std::erase_if(all, [](const Part& part) { return part.match; });
        break;
    case SplitBehaviour::contiguous:
        all = joined(all, [](bool match, bool previous) { return match == previous; });
        break;
    case SplitBehaviour::merged_with_previous:
        all = joined(all, joins_new_match);
        break;
    case SplitBehaviour::merged_with_next:
        std::reverse(all.begin(), all.end());
        all = joined(all, joins_new_match);
        std::reverse(all.begin(), all.end());
        break;
    case SplitBehaviour::isolated:
        break;
    }
    for (const Part& part : all)
        add(part.range);
}

} // namespace vitrine::tokenizer
