#include "app/window/conversation_text.h"

#include <algorithm>
#include <array>

#include "core/engine/model_chat.h"

namespace vitrine::window {

namespace {

/// The role that a line begins with, or nothing.
std::string_view role_of(std::string_view line) {
    for (const std::string_view role : {"system", "user", "assistant", "tool"})
        if (line.starts_with(role) && line.substr(role.size()).starts_with(':')) return role;
    return {};
}

} // namespace

Result<TypedConversation> read_conversation(std::string_view text) {
    TypedConversation typed;
    if (text.starts_with('[') || text.starts_with('{')) {
        VITRINE_ASSIGN(auto conversations, engine::parse_conversations(text, "The conversation"));
        typed.conversation = std::move(conversations.front());
        return typed;
    }
    std::vector<std::string> roles;
    for (std::size_t at = 0; at < text.size();) {
        const std::size_t end = std::min(text.find('\n', at), text.size());
        const std::string_view line = text.substr(at, end - at);
        const std::string_view role = role_of(line);
        if (!role.empty() || roles.empty()) {
            std::size_t begin = at + (role.empty() ? 0 : role.size() + 1);
            if (!role.empty() && text.substr(begin).starts_with(' ')) ++begin;
            roles.emplace_back(role.empty() ? "user" : role);
            typed.words.push_back({begin, std::string(text.substr(begin, end - begin))});
        } else {
            typed.words.back().text += '\n' + std::string(line);
        }
        at = end + 1;
    }
    for (auto& words : typed.words)
        while (words.text.ends_with('\n'))
            words.text.pop_back();
    for (std::size_t i = 0; i < roles.size(); ++i)
        typed.conversation.messages.push_back({{"role", roles[i]}, {"content", typed.words[i].text}});
    return typed;
}

bool ends_with_assistant(const chat::Conversation& conversation) {
    const Json& messages = conversation.messages;
    return !messages.empty() && messages.back().value("role", "") == "assistant";
}

} // namespace vitrine::window
