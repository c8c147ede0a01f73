#include "core/engine/task_sets.h"

#include <algorithm>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "core/base/mapped_file.h"
#include "core/engine/resources.h"

namespace vitrine::engine {

namespace {

namespace fs = std::filesystem;
using tokenizer::Specials;
using tokenizer::Token;

Result<fs::path> sets_folder() {
    VITRINE_ASSIGN(const fs::path resources, resources_folder());
    std::error_code ignored;
    for (const fs::path& place :
         {resources / "datasets" / "sets", resources.parent_path() / "datasets" / "sets"})
        if (fs::exists(place / "sets.json", ignored)) return place;
    return fail(Code::not_found,
                fmt::format("The task sets were not found: there is no datasets/sets beside {}.",
                            resources.string()));
}

Result<std::vector<std::int32_t>> plain_ids(const tokenizer::Tokenizer& tokenizer, std::string_view text) {
    VITRINE_ASSIGN(const auto tokens, tokenizer.encode(text, Specials::none));
    std::vector<std::int32_t> ids;
    for (const Token& token : tokens)
        ids.push_back(token.id);
    return ids;
}

std::string cut_text(const tokenizer::Tokenizer& tokenizer, const std::vector<std::int32_t>& ids) {
    std::vector<std::string> parts;
    for (const std::int32_t id : ids)
        parts.push_back(dump_json(tokenizer.token_text(id)));
    return fmt::format("{}", fmt::join(parts, " "));
}

/// Ids of a row's answer or distractor; a text must be one token more of the prompt that it stands behind.
Result<std::vector<std::int32_t>> ids_behind(const tokenizer::Tokenizer& tokenizer, const std::string& prompt,
                                             const std::vector<std::int32_t>& prompt_ids, const Json& value,
                                             const char* name) {
    std::vector<std::int32_t> ids;
    for (const Json& item : value.is_array() ? value : Json::array({value})) {
        if (item.is_number_integer()) {
            ids.push_back(item.get<std::int32_t>());
            continue;
        }
        if (!item.is_string())
            return fail(Code::malformed, fmt::format("The {} is neither a text nor an id.", name));
        const auto text = item.get<std::string>();
        VITRINE_ASSIGN(const auto both, plain_ids(tokenizer, prompt + text));
        const bool kept =
            both.size() > prompt_ids.size() && std::equal(prompt_ids.begin(), prompt_ids.end(), both.begin());
        if (!kept)
            return fail(Code::malformed, fmt::format("Together with the {} {} the prompt is cut otherwise.",
                                                     name, dump_json(item)));
        if (both.size() != prompt_ids.size() + 1) {
            const std::vector<std::int32_t> rest(
                both.begin() + static_cast<std::ptrdiff_t>(prompt_ids.size()), both.end());
            return fail(Code::malformed,
                        fmt::format("The {} {} is {} tokens behind the prompt: {}.", name, dump_json(item),
                                    rest.size(), cut_text(tokenizer, rest)));
        }
        ids.push_back(both.back());
    }
    return ids;
}

} // namespace

Result<std::vector<TaskSet>> task_sets() {
    VITRINE_ASSIGN(const fs::path folder, sets_folder());
    const fs::path file = folder / "sets.json";
    VITRINE_ASSIGN(const std::string text, read_text(file));
    VITRINE_ASSIGN(const Json json, parse_json(text, file.string()));
    std::vector<TaskSet> sets;
    try {
        for (const Json& entry : json.at("sets"))
            sets.push_back({entry.at("name"), entry.at("title"), entry.at("about"), entry.at("citation"),
                            entry.at("models"), entry.at("licence"), entry.at("seed"), entry.at("count"),
                            (folder / entry.at("file").get<std::string>()).lexically_normal()});
    } catch (const nlohmann::json::exception& error) {
        return fail(Code::malformed,
                    fmt::format("{} is no list of task sets ({}).", file.string(), error.what()));
    }
    return sets;
}

Result<TaskSet> find_task_set(std::string_view name) {
    VITRINE_ASSIGN(const auto sets, task_sets());
    std::vector<std::string> names;
    for (const TaskSet& set : sets) {
        if (set.name == name) return set;
        names.push_back(set.name);
    }
    return fail(Code::not_found,
                fmt::format("There is no task set \"{}\"; there are {}.", name, fmt::join(names, ", ")));
}

std::optional<std::string> task_name(std::string_view source) {
    constexpr std::string_view start = "task:";
    if (source.substr(0, start.size()) != start) return std::nullopt;
    return std::string(source.substr(start.size()));
}

std::optional<TaskMisfit> misfit(const tokenizer::Tokenizer& tokenizer, const Json& fields) {
    const Json clean = fields.value("clean", Json());
    const Json corrupted = fields.value("corrupted", Json());
    const auto no_pair = TaskMisfit{"not a pair", "It has no clean and corrupted prompt and no answer."};
    if (!clean.is_string() || !corrupted.is_string() || !fields.contains("answer")) return no_pair;
    const auto clean_ids = plain_ids(tokenizer, clean.get<std::string>());
    const auto corrupted_ids = plain_ids(tokenizer, corrupted.get<std::string>());
    if (!clean_ids || !corrupted_ids || clean_ids->empty()) return no_pair;
    if (clean_ids->size() != corrupted_ids->size())
        return TaskMisfit{"length", fmt::format("Clean is {} tokens and corrupted {}.", clean_ids->size(),
                                                corrupted_ids->size())};
    std::vector<std::int32_t> answer;
    for (const char* name : {"answer", "distractor"}) {
        if (!fields.contains(name)) continue;
        const auto ids = ids_behind(tokenizer, clean.get<std::string>(), *clean_ids, fields.at(name), name);
        if (!ids) return TaskMisfit{name, ids.error().message};
        for (const std::int32_t id : *ids)
            if (std::find(answer.begin(), answer.end(), id) != answer.end())
                return TaskMisfit{"same", fmt::format("{} is both answer and distractor.",
                                                      dump_json(tokenizer.token_text(id)))};
        if (answer.empty()) answer = *ids;
    }
    return std::nullopt;
}

Result<FittingRows> fitting_rows(const tokenizer::Tokenizer& tokenizer, std::vector<PromptLine> lines,
                                 const std::string& name) {
    FittingRows out;
    bool fits = false;
    for (PromptLine& line : lines) {
        // Both lines of a pair have its fields; what does not come as a pair is a row by itself.
        if (line.role != "corrupted") {
            ++out.rows;
            const auto wrong = misfit(tokenizer, line.fields);
            fits = !wrong;
            if (wrong) {
                if (out.left_out == 0) out.reason = wrong->reason;
                ++out.left_out;
            }
        }
        if (fits) out.lines.push_back(std::move(line));
    }
    if (out.lines.empty())
        return fail(Code::malformed,
                    fmt::format("None of the {} rows of {} fits this model's tokenizer; of the first: {}",
                                out.rows, name, out.reason));
    return out;
}

} // namespace vitrine::engine
