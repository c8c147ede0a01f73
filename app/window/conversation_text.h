#pragma once
// A conversation as a person types it.
#include <string>
#include <string_view>
#include <vector>

#include "core/base/result.h"
#include "core/chat/chat_template.h"

namespace vitrine::window {

/// A conversation and where its words stand in the typed text.
struct TypedConversation {
    struct Words {
        std::size_t begin = 0; ///< byte in the typed text
        std::string text;
    };
    chat::Conversation conversation;
    std::vector<Words> words; ///< by message; empty for a conversation typed as JSON
};

/// Lines that begin with "system:", "user:", "assistant:" or "tool:" begin a message; what stands before the
/// first is the user's. A text that begins with "[" or "{" is a conversation as --chat takes it. malformed:
/// JSON that is none.
Result<TypedConversation> read_conversation(std::string_view text);

/// Whether the assistant has the last word.
bool ends_with_assistant(const chat::Conversation& conversation);

} // namespace vitrine::window
