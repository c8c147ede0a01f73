#include "core/engine/prompts.h"

#include <algorithm>
#include <charconv>

#include <fmt/format.h>

#include "core/base/mapped_file.h"
#include "core/base/utf8.h"
#include "core/engine/csv.h"
#include "core/engine/prompt_columns.h"

namespace vitrine::engine {

namespace {

struct TextLine {
    std::string_view text;
    std::size_t number = 1;
};

// Split on "\n" alone: other line separators of Unicode may stand inside a prompt.
std::vector<TextLine> lines_of(std::string_view text) {
    std::vector<TextLine> lines;
    std::size_t number = 1;
    for (std::size_t at = 0; at < text.size(); ++number) {
        const std::size_t end = std::min(text.find('\n', at), text.size());
        std::string_view line = text.substr(at, end - at);
        if (!line.empty() && line.back() == '\r') line.remove_suffix(1);
        if (!line.empty()) lines.push_back({line, number});
        at = end + 1;
    }
    return lines;
}

bool has_prompt(const Json& object) {
    return object.is_object() && (object.contains("prompt") || object.contains("ids") ||
                                  (object.contains("clean") && object.contains("corrupted")));
}

// A row's text or ids, from the value of one of its fields.
Status set_source(PromptLine& row, const Json& value, const std::string& where) {
    if (value.is_string()) {
        row.text = value.get<std::string>();
        return {};
    }
    const bool numbers = value.is_array() && std::all_of(value.begin(), value.end(), [](const Json& id) {
                             return id.is_number_integer() && id >= 0 && id <= 2147483647;
                         });
    if (!numbers) return fail(Code::malformed, where + ": a prompt must be a text or a list of token ids.");
    row.ids = value.get<std::vector<std::int32_t>>();
    return {};
}

Status add_rows(std::vector<PromptLine>& rows, const Json& object, const std::string& where) {
    if (!has_prompt(object))
        return fail(Code::malformed,
                    where + ": a row needs \"prompt\" (or \"ids\", or \"clean\" and \"corrupted\").");
    std::vector<const char*> sources = {"prompt"};
    if (!object.contains("prompt")) {
        if (object.contains("ids"))
            sources = {"ids"};
        else
            sources = {"clean", "corrupted"};
    }
    for (const char* source : sources) {
        PromptLine row;
        VITRINE_TRY(set_source(row, object[source], where));
        row.fields = object;
        row.where = where;
        if (sources.size() == 2) row.role = source;
        rows.push_back(std::move(row));
    }
    return {};
}

Result<std::vector<PromptLine>> from_json_lines(std::string_view text, const std::string& name) {
    std::vector<PromptLine> rows;
    for (const TextLine& line : lines_of(text)) {
        const std::string where = fmt::format("{}, line {}", name, line.number);
        VITRINE_ASSIGN(const Json object, parse_json(line.text, where));
        VITRINE_TRY(add_rows(rows, object, where));
    }
    return rows;
}

Result<std::vector<PromptLine>> from_csv(std::string_view text, const std::string& name) {
    VITRINE_ASSIGN(const auto records, parse_csv(text, name));
    std::vector<PromptLine> rows;
    if (records.empty()) return rows;
    VITRINE_ASSIGN(const auto columns, PromptColumns::of(records[0].fields, name));
    for (std::size_t i = 1; i < records.size(); ++i) {
        const std::string where = fmt::format("{}, line {}", name, records[i].line);
        VITRINE_ASSIGN(const Json object, columns.fields(records[i].fields, where));
        VITRINE_TRY(add_rows(rows, object, where));
    }
    return rows;
}

bool looks_like_json_lines(std::string_view text) {
    const auto lines = lines_of(text);
    return !lines.empty() && std::all_of(lines.begin(), lines.end(), [](const TextLine& line) {
        if (line.text.front() != '{') return false;
        const auto object = parse_json(line.text, "");
        return object && has_prompt(*object);
    });
}

} // namespace

Result<std::vector<PromptLine>> parse_prompts(std::string_view text, const std::filesystem::path& path) {
    const std::string name = path.string();
    VITRINE_TRY(check_utf8(text, name));
    constexpr std::string_view mark = "\xEF\xBB\xBF";
    if (text.substr(0, mark.size()) == mark) text.remove_prefix(mark.size());
    const std::string form = path.extension().string();
    if (form == ".csv") return from_csv(text, name);
    if (form == ".jsonl" || form == ".ndjson" || form == ".json" || looks_like_json_lines(text))
        return from_json_lines(text, name);
    std::vector<PromptLine> rows;
    for (const TextLine& line : lines_of(text))
        rows.push_back({std::string(line.text), std::nullopt, Json::object(), "",
                        fmt::format("{}, line {}", name, line.number)});
    return rows;
}

Result<std::vector<PromptLine>> read_prompts(const std::filesystem::path& path) {
    VITRINE_ASSIGN(const std::string text, read_text(path));
    VITRINE_ASSIGN(auto rows, parse_prompts(text, path));
    if (rows.empty()) return fail(Code::malformed, fmt::format("{} holds no prompt.", path.string()));
    return rows;
}

Result<std::vector<std::int32_t>> parse_ids(std::string_view text) {
    std::vector<std::int32_t> ids;
    std::size_t at = 0;
    while (at <= text.size()) {
        const std::size_t end = std::min(text.find(',', at), text.size());
        std::string_view number = text.substr(at, end - at);
        while (!number.empty() && number.front() == ' ')
            number.remove_prefix(1);
        while (!number.empty() && number.back() == ' ')
            number.remove_suffix(1);
        std::int32_t id = 0;
        const auto [stop, error] = std::from_chars(number.data(), number.data() + number.size(), id);
        if (error != std::errc{} || stop != number.data() + number.size())
            return fail(Code::usage, fmt::format("\"{}\" is no list of token ids such as 1,2,3.", text));
        ids.push_back(id);
        at = end + 1;
    }
    return ids;
}

} // namespace vitrine::engine
