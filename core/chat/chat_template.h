#pragma once
// A model's own way to write a conversation as one text.
#include <ctime>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "core/base/json.h"
#include "core/base/result.h"
#include "core/chat/evaluator.h"

namespace vitrine::chat {

/// A conversation: a list of {"role", "content", …}.
struct Conversation {
    Json messages = Json::array();
    Json extra =
        Json::object(); ///< further variables of the template: "tools", "documents", "enable_thinking" …
};

struct ChatOptions {
    bool add_generation_prompt = false;  ///< ends with the header of the assistant's next message
    std::optional<std::time_t> now;      ///< what strftime_now takes for the time; the clock if not given
    std::size_t most_steps = 20'000'000; ///< after which a template counts as endless
};

/// Jinja as `transformers` runs it for chat templates, as far as these templates go: if, for, set, macro,
/// call, filter, break, continue, generation, raw; filters, tests and methods of builtins.h; raise_exception,
/// strftime_now.
class ChatTemplate {
public:
    /// malformed with the line; unsupported for blocks that Vitrine does not know.
    static Result<ChatTemplate> parse(std::string_view source);

    /// `special` holds the special tokens by their names ("bos_token": "<s>"). Beside the messages a text
    /// before the first one counts as "system" (unless it is only the BOS token), the generation prompt as
    /// "assistant". Errors: as render(); malformed if `messages` is no list of objects with a role.
    Result<Rendered> render(const Conversation& conversation, const Json& special,
                            const ChatOptions& options) const;

private:
    std::shared_ptr<const Block> block_;
};

/// "%d %b %Y" and the like, in English whatever the locale.
std::string formatted_time(std::string_view format, std::time_t time);

} // namespace vitrine::chat
