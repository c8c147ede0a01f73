#pragma once
#include "app/cli/prompt_options.h"
#include "core/base/json.h"
#include "core/engine/engine.h"

namespace vitrine::cli {

/// A token's text for people and documents: U+FFFD where its bytes are no UTF-8 by themselves; null without a
/// tokenizer.
Json token_text(const engine::OpenModel& model, std::int32_t id);

/// [{"id", "text", "bytes", "start", "end", "special"}] of a row. bytes: hexadecimal where the text alone
/// does not tell them, else null. start, end: byte offsets in the prompt; null for ids that no text was cut
/// into.
Json tokens_document(const tokenizer::Tokenizer* tokenizer, const InputRow& input);

/// Of a conversation: "prompt", as the model's template wrote it, and "roles": [{"role", "start", "end"}],
/// byte offsets in it. Other rows stay as they are.
void add_chat(Json& row, const InputRow& input);

/// The text that new tokens add; null without a tokenizer.
Json decoded_text(const engine::OpenModel& model, const std::vector<std::int32_t>& ids);

} // namespace vitrine::cli
