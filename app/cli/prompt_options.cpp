#include "app/cli/prompt_options.h"

#include <fmt/format.h>

#include "app/cli/program.h"
#include "core/base/log.h"
#include "core/base/utf8.h"
#include "core/engine/prompts.h"
#include "core/engine/task_sets.h"

namespace vitrine::cli {

void PromptOptions::add(CLI::App& command, Program& program) {
    program.add_texts(command, "--prompt", prompts, "A prompt; repeatable, one row each");
    program.add_texts(
        command, "--prompts", files,
        "File of prompts: lines, JSON lines with \"prompt\" (or \"clean\" and \"corrupted\"), or CSV; "
        "or task:NAME, a set that \"vitrine-cli tasks\" lists; repeatable");
    program.add_texts(command, "--ids", ids, "Token ids such as 1,2,3; repeatable, one row each");
    command.add_option("--bos", bos, "template (as the tokenizer does), always or never (template)")
        ->check(CLI::IsMember({"template", "always", "never"}));
    command.add_flag("--no-special", no_special, "Add no special token at all");
    program.add_texts(command, "--chat", chats,
                      "Conversation for the model's own template: a JSON file, its JSON, or one user's "
                      "message; repeatable");
}

Result<std::vector<PromptText>> texts_of(const PromptOptions& options) {
    std::vector<PromptText> all;
    for (const std::string& text : options.prompts) {
        VITRINE_TRY(check_utf8(text, "The prompt"));
        all.push_back({text, {}, {}, {}, {}, {}});
    }
    for (const std::string& file : options.files) {
        const auto task = engine::task_name(file);
        std::filesystem::path path = file;
        if (task) {
            VITRINE_ASSIGN(const auto set, engine::find_task_set(*task));
            path = set.file;
        }
        VITRINE_ASSIGN(auto lines, engine::read_prompts(path));
        for (auto& line : lines)
            all.push_back({line.text, line.ids, {}, {}, std::move(line), task.value_or("")});
    }
    for (const std::string& text : options.ids) {
        VITRINE_ASSIGN(auto ids, engine::parse_ids(text));
        all.push_back({"", std::move(ids), {}, {}, {}, {}});
    }
    for (const std::string& text : options.chats) {
        VITRINE_ASSIGN(auto conversations, engine::read_conversations(text));
        for (auto& conversation : conversations)
            all.push_back({"", {}, std::move(conversation), {}, {}, {}});
    }
    return all;
}

Status keep_fitting(const tokenizer::Tokenizer* tokenizer, std::vector<PromptText>& texts) {
    std::vector<PromptText> kept;
    for (std::size_t begin = 0; begin < texts.size();) {
        const std::string task = texts[begin].task;
        if (task.empty()) {
            kept.push_back(std::move(texts[begin++]));
            continue;
        }
        if (tokenizer == nullptr)
            return fail(Code::unsupported,
                        fmt::format("task:{} needs a tokenizer, and this model has none.", task));
        std::vector<engine::PromptLine> lines;
        for (; begin < texts.size() && texts[begin].task == task; ++begin)
            lines.push_back(std::move(texts[begin].line));
        VITRINE_ASSIGN(auto fitting, engine::fitting_rows(*tokenizer, std::move(lines), "task:" + task));
        if (fitting.left_out > 0)
            warn(fmt::format(
                "{} of {} rows of task:{} are left out, since they do not fit the tokenizer; the first: {}",
                fitting.left_out, fitting.rows, task, fitting.reason));
        for (auto& line : fitting.lines)
            kept.push_back({line.text, line.ids, {}, {}, std::move(line), task});
    }
    texts = std::move(kept);
    return {};
}

Status write_conversations(const std::string& model, std::vector<PromptText>& texts) {
    std::optional<engine::ModelChat> chat;
    for (PromptText& text : texts) {
        if (!text.conversation) continue;
        if (!chat) {
            VITRINE_ASSIGN(chat, engine::read_model_chat(model));
        }
        VITRINE_ASSIGN(auto written, engine::write_conversation(*chat, *text.conversation));
        text.text = std::move(written.text);
        text.roles = std::move(written.roles);
    }
    return {};
}

tokenizer::Specials PromptOptions::specials() const {
    if (no_special) return tokenizer::Specials::none;
    if (bos == "always") return tokenizer::Specials::always_bos;
    if (bos == "never") return tokenizer::Specials::never_bos;
    return tokenizer::Specials::by_template;
}

Result<InputRow> encode_prompt(const tokenizer::Tokenizer* tokenizer, const std::string& model_name,
                               const PromptText& prompt, tokenizer::Specials specials) {
    InputRow input;
    if (prompt.ids) {
        input.row.ids = *prompt.ids;
        for (const std::int32_t id : input.row.ids)
            input.row.special.push_back(tokenizer != nullptr && tokenizer->is_special(id));
        return input;
    }
    if (tokenizer == nullptr)
        return fail(
            Code::unsupported,
            fmt::format("{} has no tokenizer, so it takes no text; give token ids with --ids.", model_name));
    VITRINE_ASSIGN(input.tokens,
                   tokenizer->encode(prompt.text, prompt.roles ? tokenizer::Specials::none : specials));
    input.prompt = prompt.text;
    input.roles = prompt.roles;
    for (const tokenizer::Token& token : input.tokens) {
        input.row.ids.push_back(token.id);
        input.row.special.push_back(token.special);
    }
    return input;
}

Result<std::vector<InputRow>> rows_of(const engine::OpenModel& model, const PromptOptions& options,
                                      bool required, const engine::WantedMarks* wanted) {
    VITRINE_ASSIGN(auto texts, texts_of(options));
    if (required && texts.empty())
        return fail(Code::usage,
                    "A prompt is missing: give --prompt TEXT, --prompts FILE, --ids 1,2,3 or --chat FILE.");
    VITRINE_TRY(write_conversations(model.request.name, texts));
    const auto* tokenizer = model.tokenizer ? &*model.tokenizer : nullptr;
    VITRINE_TRY(keep_fitting(tokenizer, texts));
    std::vector<InputRow> inputs;
    for (const PromptText& text : texts) {
        VITRINE_ASSIGN(InputRow input,
                       encode_prompt(tokenizer, model.request.name, text, options.specials()));
        if (input.row.ids.empty())
            return fail(
                Code::malformed,
                fmt::format("Prompt {} yields no token; the model needs at least one.", inputs.size() + 1));
        if (wanted != nullptr && !text.line.where.empty()) {
            VITRINE_ASSIGN(input.row.marks, engine::read_marks(tokenizer, text.line, *wanted));
        }
        inputs.push_back(std::move(input));
    }
    return inputs;
}

std::vector<run::RunRow> run_rows(const std::vector<InputRow>& inputs) {
    std::vector<run::RunRow> rows;
    for (const InputRow& input : inputs)
        rows.push_back(input.row);
    return rows;
}

} // namespace vitrine::cli
