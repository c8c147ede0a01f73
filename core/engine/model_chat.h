#pragma once
// A model's own way to write a conversation, as its files give it, and conversations as people give them.
#include <ctime>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/base/json.h"
#include "core/base/result.h"
#include "core/chat/chat_template.h"

namespace vitrine::engine {

/// What a model's files say about conversations.
struct ModelChat {
    std::string model; ///< as the user named it, for sentences
    /// Templates by name; a model with one has it as "default". Empty if the files hold none.
    std::vector<std::pair<std::string, std::string>> templates;
    Json special = Json::object(); ///< special tokens by their names: "bos_token": "<s>"
};

/// From chat_template.jinja and additional_chat_templates/NAME.jinja, else "chat_template" of
/// tokenizer_config.json (a text, or a list of {"name", "template"}), else a GGUF file's
/// tokenizer.chat_template and tokenizer.chat_template.NAME. Special tokens from tokenizer_config.json and
/// special_tokens_map.json, or from the GGUF file's ids. `model` is what open_model takes. Errors: not_found,
/// io, malformed.
Result<ModelChat> read_model_chat(const std::string& model);

/// The conversation in the model's own form, to be encoded without further special tokens. The template is
/// the one that "chat_template" of the conversation names, else "tool_use" where tools are given, else
/// "default", as transformers chooses. It ends with the header of the assistant's next message unless the
/// last message is the assistant's or "add_generation_prompt" says otherwise. Errors: unsupported if the
/// model has no template, those of chat::ChatTemplate.
Result<chat::Rendered> write_conversation(const ModelChat& model, const chat::Conversation& conversation,
                                          std::optional<std::time_t> now = {});

/// What --chat takes: the name of a file with conversations, their JSON itself, or the words of one user
/// message. Errors: io, not_found (a name ending in .json or .jsonl), malformed.
Result<std::vector<chat::Conversation>> read_conversations(const std::string& file_or_text);

/// One conversation, as a list of {"role", "content"} or an object with such "messages" whose other members
/// are the template's variables ("tools", "enable_thinking" …); a list of lists is several; or JSON lines of
/// these. `where` stands in the error sentences. malformed with the place.
Result<std::vector<chat::Conversation>> parse_conversations(std::string_view json, const std::string& where);

} // namespace vitrine::engine
