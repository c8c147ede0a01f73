#include <filesystem>
#include <map>
#include <memory>

#include <fmt/format.h>

#include "app/cli/commands.h"
#include "app/cli/help_texts.h"
#include "app/cli/program.h"
#include "app/cli/table.h"
#include "core/engine/engine.h"
#include "core/engine/prompt_columns.h"
#include "core/engine/task_sets.h"

namespace vitrine::cli {

namespace {

struct TasksOptions {
    std::string name;
    std::string model;
};

/// A row of a set, without what only its file's reader needs.
Json row_document(const engine::PromptLine& line, const tokenizer::Tokenizer* tokenizer) {
    Json row = line.fields;
    row["fits"] = nullptr;
    row["reason"] = nullptr;
    if (tokenizer == nullptr) return row;
    const auto wrong = engine::misfit(*tokenizer, line.fields);
    row["fits"] = !wrong;
    if (wrong) row["reason"] = wrong->reason;
    return row;
}

/// How many rows fit, and why the others do not: by kind, with the first one's sentence.
Json fit_document(const std::vector<engine::PromptLine>& lines, const tokenizer::Tokenizer& tokenizer) {
    int rows = 0, fits = 0;
    std::map<std::string, std::pair<int, std::string>> wrong;
    for (const engine::PromptLine& line : lines) {
        if (line.role == "corrupted") continue;
        ++rows;
        const auto reason = engine::misfit(tokenizer, line.fields);
        if (!reason) {
            ++fits;
            continue;
        }
        auto& [count, first] = wrong[reason->kind];
        if (count++ == 0) first = reason->reason;
    }
    Json others = Json::array();
    for (const auto& [kind, counted] : wrong)
        others.push_back({{"kind", kind}, {"rows", counted.first}, {"first", counted.second}});
    return {{"rows", rows}, {"fits", fits}, {"others", std::move(others)}};
}

Json set_document(const engine::TaskSet& set) {
    return {{"name", set.name},       {"title", set.title}, {"about", set.about},
            {"models", set.models},   {"rows", set.rows},   {"citation", set.citation},
            {"licence", set.licence}, {"seed", set.seed},   {"file", set.file.string()}};
}

std::string others_text(const Json& fit) {
    std::string text;
    for (const Json& other : fit["others"])
        text += fmt::format("{}{} {} ({})", text.empty() ? "" : "; ", other["rows"].get<int>(),
                            other["kind"].get<std::string>(), other["first"].get<std::string>());
    return text;
}

std::string describe_tasks(const Json& document) {
    std::string text;
    const bool with_model = !document["model"].is_null();
    if (document.contains("rows")) {
        text = fields_text(document["sets"][0]) + "\n";
        Table table(
            {"#", "clean", "corrupted", "answer", "distractor", with_model ? "does not fit since" : ""});
        const auto shown = [](const Json& row, const char* name) {
            const Json value = row.value(name, Json());
            if (!value.is_array() || value.empty()) return value;
            return Json(fmt::format("{}{}", cell(value.front()),
                                    value.size() > 1 ? fmt::format(" … ({})", value.size()) : ""));
        };
        int index = 0;
        for (const Json& row : document["rows"])
            table.add({index++, row["clean"], row["corrupted"], shown(row, "answer"),
                       shown(row, "distractor"), row["reason"].is_null() ? Json("") : row["reason"]});
        return text + table.text();
    }
    Table table(with_model ? std::vector<std::string>{"task", "title", "rows", "fit", "others"}
                           : std::vector<std::string>{"task", "title", "rows", "for", "what it shows"});
    for (const Json& set : document["sets"])
        with_model ? table.add({set["name"], set["title"], set["fit"]["rows"], set["fit"]["fits"],
                                others_text(set["fit"])})
                   : table.add({set["name"], set["title"], set["rows"], set["models"], set["about"]});
    return table.text();
}

/// The set of that name, or a file of pairs.
Result<engine::TaskSet> named_set(const std::string& name) {
    const auto plain = engine::task_name(name).value_or(name);
    auto found = engine::find_task_set(plain);
    std::error_code ignored;
    if (found || !std::filesystem::is_regular_file(name, ignored)) return found;
    engine::TaskSet own;
    own.name = name;
    own.file = name;
    return own;
}

Result<Outcome> tasks(const TasksOptions& options) {
    std::optional<tokenizer::Tokenizer> tokenizer;
    if (!options.model.empty()) {
        VITRINE_ASSIGN(const auto folder, engine::model_folder(options.model));
        VITRINE_ASSIGN(tokenizer, tokenizer::Tokenizer::load(engine::tokenizer_folder(folder)));
    }
    std::vector<engine::TaskSet> sets;
    if (options.name.empty()) {
        VITRINE_ASSIGN(sets, engine::task_sets());
    } else {
        VITRINE_ASSIGN(auto set, named_set(options.name));
        sets.push_back(std::move(set));
    }
    Json list = Json::array();
    Json rows = Json::array();
    for (engine::TaskSet& set : sets) {
        std::vector<engine::PromptLine> lines;
        if (tokenizer || !options.name.empty()) {
            VITRINE_ASSIGN(lines, engine::read_prompts(set.file));
        }
        Json entry = set_document(set);
        if (tokenizer) entry["fit"] = fit_document(lines, *tokenizer);
        for (const engine::PromptLine& line : lines) {
            if (options.name.empty() || line.role == "corrupted") continue;
            rows.push_back(row_document(line, tokenizer ? &*tokenizer : nullptr));
        }
        if (!options.name.empty()) entry["rows"] = rows.size();
        list.push_back(std::move(entry));
    }
    Json document = {{"model", options.model.empty() ? Json() : Json(options.model)},
                     {"sets", std::move(list)}};
    if (!options.name.empty()) document["rows"] = std::move(rows);
    return Outcome{std::move(document), describe_tasks};
}

} // namespace

void add_tasks(CLI::App& app, Program& program) {
    auto* command = app.add_subcommand("tasks", "Task sets: pairs of prompts with answer and distractor");
    auto options = std::make_shared<TasksOptions>();
    command->add_option("NAME", options->name, "One set, or a file of such rows (all sets)");
    command->add_option(
        "--model", options->model,
        "Model, or a folder with a tokenizer alone: which rows its tokenizer can take, and why "
        "not the others");
    command->footer(fmt::format(
        "A row fits where clean and corrupted have as many tokens, and answer and distractor are one token "
        "each "
        "behind the prompt.\n--prompts task:NAME gives the rows that fit to any command.\n\nFiles of rows: "
        "JSON "
        "lines with clean, corrupted, answer, distractor (a text, an id or a list of these) and position, or "
        "CSV "
        "with a header: {}.\nNames in _idx and _id hold ids of the tokenizer that the file was made for; "
        "position "
        "counts from 0, negative from the end; a label that is the last two digits of a year, behind whose "
        "century "
        "clean breaks off, becomes the later years and the others; columns whose names begin with _ are left "
        "out.\n\nExample: vitrine-cli tasks --model default ioi-tiny\n         vitrine-cli analyze sink-rate "
        "default --prompts task:ioi-tiny",
        engine::known_columns()));
    program.on(*command, [options] { return tasks(*options); });
}

} // namespace vitrine::cli
