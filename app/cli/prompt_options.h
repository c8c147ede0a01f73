#pragma once
// From --prompt, --prompts, --ids and --chat to rows of ids.
#include <optional>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>

#include "core/engine/engine.h"
#include "core/engine/model_chat.h"
#include "core/engine/row_marks.h"

namespace vitrine::cli {

class Program;

/// Options of every command that reads prompts.
struct PromptOptions {
    std::vector<std::string> prompts;
    std::vector<std::string> files;
    std::vector<std::string> ids;
    std::string bos = "template";
    bool no_special = false;
    std::vector<std::string> chats;

    void add(CLI::App& command, Program& program);
    tokenizer::Specials specials() const;
    bool empty() const { return prompts.empty() && files.empty() && ids.empty() && chats.empty(); }
};

/// What was asked, before it is cut into tokens.
struct PromptText {
    std::string text;
    std::optional<std::vector<std::int32_t>> ids;   ///< instead of the text
    std::optional<chat::Conversation> conversation; ///< instead of the text, until the model writes it
    std::optional<std::vector<chat::RoleSpan>>
        roles;               ///< of a text that a model wrote, special tokens included
    engine::PromptLine line; ///< of a row of a file; without `where` otherwise
    std::string task;        ///< the task set that it is from, all of whose rows follow each other
};

/// One row of a command's input.
struct InputRow {
    std::optional<std::string> prompt; ///< none for ids
    run::RunRow row;
    std::vector<tokenizer::Token> tokens;             ///< of the prompt, one for each id; empty for ids
    std::optional<std::vector<chat::RoleSpan>> roles; ///< of a conversation: bytes of the prompt
};

/// The prompts in the order --prompt, --prompts, --ids, --chat. Errors: malformed (invalid UTF-8 with its
/// byte offset), usage, those of the files.
Result<std::vector<PromptText>> texts_of(const PromptOptions& options);

/// Of rows of task sets those that fit the tokenizer stay (none: unsupported); how many were left out is
/// warned of. malformed where none fits.
Status keep_fitting(const tokenizer::Tokenizer* tokenizer, std::vector<PromptText>& texts);

/// Conversations become texts in the form of the model's own template. Errors: as engine::read_model_chat
/// and engine::write_conversation; nothing is read where there is no conversation.
Status write_conversations(const std::string& model, std::vector<PromptText>& texts);

/// One prompt as ids; what a model's template wrote gets no further special tokens. `tokenizer` may be
/// absent: then only ids are taken (unsupported for a text).
Result<InputRow> encode_prompt(const tokenizer::Tokenizer* tokenizer, const std::string& model_name,
                               const PromptText& prompt, tokenizer::Specials specials);

/// Encodes every prompt; `wanted` also reads answer, distractor and position of rows of files. usage without
/// any prompt when `required`; unsupported if the model has no tokenizer and a prompt is a text; malformed if
/// a prompt yields no token.
Result<std::vector<InputRow>> rows_of(const engine::OpenModel& model, const PromptOptions& options,
                                      bool required = false, const engine::WantedMarks* wanted = nullptr);

std::vector<run::RunRow> run_rows(const std::vector<InputRow>& inputs);

} // namespace vitrine::cli
