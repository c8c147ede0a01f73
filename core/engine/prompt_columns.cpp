#include "core/engine/prompt_columns.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <charconv>
#include <string_view>

#include <fmt/format.h>

#include "core/engine/prompts.h"

namespace vitrine::engine {

namespace {

struct KnownColumn {
    std::string_view name, field;
    bool ids = false; ///< cells hold token ids
};

constexpr std::array known_names = {
    KnownColumn{"prompt", "prompt"},
    KnownColumn{"ids", "ids", true},
    KnownColumn{"clean", "clean"},
    KnownColumn{"corrupted", "corrupted"},
    KnownColumn{"corrupt", "corrupted"},
    KnownColumn{"answer", "answer"},
    KnownColumn{"label", "answer"},
    KnownColumn{"correct", "answer"},
    KnownColumn{"target", "answer"},
    KnownColumn{"clean_answer", "answer"},
    KnownColumn{"answer_id", "answer", true},
    KnownColumn{"answer_idx", "answer", true},
    KnownColumn{"answers_idx", "answer", true},
    KnownColumn{"correct_id", "answer", true},
    KnownColumn{"correct_idx", "answer", true},
    KnownColumn{"clean_answer_idx", "answer", true},
    KnownColumn{"distractor", "distractor"},
    KnownColumn{"incorrect", "distractor"},
    KnownColumn{"wrong", "distractor"},
    KnownColumn{"corrupted_answer", "distractor"},
    KnownColumn{"distractor_id", "distractor", true},
    KnownColumn{"distractor_idx", "distractor", true},
    KnownColumn{"incorrect_id", "distractor", true},
    KnownColumn{"incorrect_idx", "distractor", true},
    KnownColumn{"corrupted_answer_idx", "distractor", true},
    KnownColumn{"corrupted_answers_idx", "distractor", true},
    KnownColumn{"position", "position"},
};
// Read by nothing: numbers of rows (data frames leave theirs without a name), and a second way to corrupt.
constexpr std::array<std::string_view, 5> passed_over = {"", "index", "id", "task", "corrupted_hard"};

std::string plain(std::string_view name) {
    while (!name.empty() && std::isspace(static_cast<unsigned char>(name.front())) != 0)
        name.remove_prefix(1);
    while (!name.empty() && std::isspace(static_cast<unsigned char>(name.back())) != 0)
        name.remove_suffix(1);
    std::string out;
    for (const char c : name)
        out += c == ' ' || c == '-' ? '_' : static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    return out;
}

bool is_passed_over(std::string_view name) {
    return std::find(passed_over.begin(), passed_over.end(), name) != passed_over.end() ||
           name.substr(0, 1) == "_";
}

/// A cell of ids: "5", "5,6" or "[5, 6]".
Result<Json> ids_in_cell(std::string_view cell, const std::string& where, const std::string& column) {
    std::string_view inner = cell;
    if (inner.size() >= 2 && inner.front() == '[' && inner.back() == ']')
        inner = inner.substr(1, inner.size() - 2);
    const auto ids = parse_ids(inner);
    if (!ids)
        return fail(Code::malformed,
                    fmt::format("{}: column {} must hold token ids such as 5 or 5,6, not {}.", where, column,
                                dump_json(std::string(cell))));
    return Json(*ids);
}

Result<Json> position_in_cell(std::string_view cell, const std::string& where) {
    int position = 0;
    const auto [end, error] = std::from_chars(cell.data(), cell.data() + cell.size(), position);
    if (error != std::errc() || end != cell.data() + cell.size())
        return fail(Code::malformed, fmt::format("{}: the position must be a whole number, not {}.", where,
                                                 dump_json(std::string(cell))));
    return Json(position);
}

/// A text, or a list of texts written as JSON.
Json texts_in_cell(const std::string& cell) {
    if (cell.front() == '[')
        if (auto list = parse_json(cell, "cell"); list && list->is_array()) return *list;
    return cell;
}

bool two_digits(std::string_view text) {
    return text.size() == 2 && std::isdigit(static_cast<unsigned char>(text[0])) != 0 &&
           std::isdigit(static_cast<unsigned char>(text[1])) != 0;
}

/// "… from the year 1352 to the year 13" with the label 52: the label says where the answers begin.
void spread_years(Json& fields) {
    const Json& label = fields.value("answer", Json());
    const std::string clean = fields.value("clean", std::string());
    if (!label.is_string() || fields.contains("distractor") || clean.size() < 2) return;
    const auto year = label.get<std::string>();
    const std::string century = clean.substr(clean.size() - 2);
    if (!two_digits(year) || !two_digits(century) || clean.find(century + year) == std::string::npos) return;
    const int first = (year[0] - '0') * 10 + (year[1] - '0');
    Json later = Json::array();
    Json others = Json::array();
    for (int end = 0; end < 100; ++end)
        (end > first ? later : others).push_back(fmt::format("{:02}", end));
    if (later.empty()) return;
    fields["answer"] = std::move(later);
    fields["distractor"] = std::move(others);
}

} // namespace

std::string known_columns() {
    std::string text;
    std::string_view field;
    for (const KnownColumn& column : known_names) {
        if (column.field != field) {
            text += fmt::format("{}{}", text.empty() ? "" : ", ", column.name);
            field = column.field;
        } else {
            text += fmt::format(" or {}", column.name);
        }
    }
    return text;
}

Result<PromptColumns> PromptColumns::of(const std::vector<std::string>& header, const std::string& name) {
    PromptColumns out;
    bool has_clean = false, has_corrupted = false, has_prompt = false;
    for (const std::string& title : header) {
        Column column{title, plain(title), false};
        const auto found = std::find_if(known_names.begin(), known_names.end(),
                                        [&](const KnownColumn& one) { return one.name == column.field; });
        if (found != known_names.end()) {
            column.field = found->field;
            column.ids = found->ids;
            const auto twin = std::find_if(out.columns_.begin(), out.columns_.end(),
                                           [&](const Column& one) { return one.field == column.field; });
            if (twin != out.columns_.end())
                return fail(Code::malformed,
                            fmt::format("{}: the columns {} and {} both say the {}; rename one to _{}.", name,
                                        twin->name, title, column.field, title));
        }
        has_clean = has_clean || column.field == "clean";
        has_corrupted = has_corrupted || column.field == "corrupted";
        has_prompt = has_prompt || column.field == "prompt" || column.field == "ids";
        out.columns_.push_back(std::move(column));
    }
    if (!has_prompt && !(has_clean && has_corrupted))
        return fail(
            Code::malformed,
            fmt::format("{} has no column with prompts: it needs prompt, ids, or clean and corrupted.",
                        name));
    if (has_prompt) return out;
    for (const Column& column : out.columns_) {
        const bool is_known = std::any_of(known_names.begin(), known_names.end(),
                                          [&](const KnownColumn& one) { return one.field == column.field; });
        if (!is_known && !is_passed_over(column.field))
            return fail(Code::malformed,
                        fmt::format("{}: nothing is known of the column {}; known are {}. Rename it, or let "
                                    "its name begin with _ to leave it out.",
                                    name, column.name, known_columns()));
    }
    return out;
}

Result<Json> PromptColumns::fields(const std::vector<std::string>& record, const std::string& where) const {
    if (record.size() != columns_.size())
        return fail(Code::malformed, fmt::format("{} has {} fields where the header has {}.", where,
                                                 record.size(), columns_.size()));
    Json fields = Json::object();
    for (std::size_t i = 0; i < record.size(); ++i) {
        const Column& column = columns_[i];
        const std::string& cell = record[i];
        const bool marks = column.field == "answer" || column.field == "distractor";
        if (column.ids) {
            if (cell.empty()) continue;
            VITRINE_ASSIGN(fields[column.field], ids_in_cell(cell, where, column.name));
        } else if (column.field == "position") {
            if (cell.empty()) continue;
            VITRINE_ASSIGN(fields[column.field], position_in_cell(cell, where));
        } else if (marks) {
            if (!cell.empty()) fields[column.field] = texts_in_cell(cell);
        } else {
            fields[column.field] = cell;
        }
    }
    spread_years(fields);
    return fields;
}

} // namespace vitrine::engine
