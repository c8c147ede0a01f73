#include "core/chat/chat_template.h"

#include <array>

#include <fmt/format.h>

#include "core/base/utf8.h"
#include "core/chat/parser.h"

namespace vitrine::chat {

namespace {

Status check_messages(const Json& messages) {
    if (!messages.is_array() || messages.empty())
        return fail(Code::malformed,
                    "A conversation must be a list of messages, each with \"role\" and \"content\".");
    for (std::size_t i = 0; i < messages.size(); ++i) {
        const bool fits =
            messages[i].is_object() && messages[i].contains("role") && messages[i]["role"].is_string();
        if (!fits)
            return fail(Code::malformed,
                        fmt::format("Message {} of the conversation has no \"role\".", i + 1));
    }
    return {};
}

/// Adds what no loop over messages printed: what stands before them, and the generation prompt.
void add_edges(Rendered& rendered, const std::string& bos, bool generation_prompt) {
    auto& roles = rendered.roles;
    if (roles.empty()) return;
    const std::size_t first =
        rendered.text.starts_with(bos) && bos.size() <= roles.front().begin ? bos.size() : 0;
    if (roles.front().begin > first) roles.insert(roles.begin(), {"system", first, roles.front().begin});
    if (generation_prompt && roles.back().end < rendered.text.size())
        roles.push_back({"assistant", roles.back().end, rendered.text.size()});
}

} // namespace

std::string formatted_time(std::string_view format, std::time_t time) {
    constexpr std::array<std::string_view, 12> months{"January",   "February", "March",    "April",
                                                      "May",       "June",     "July",     "August",
                                                      "September", "October",  "November", "December"};
    constexpr std::array<std::string_view, 7> days{"Sunday",   "Monday", "Tuesday", "Wednesday",
                                                   "Thursday", "Friday", "Saturday"};
    std::tm parts{};
    localtime_r(&time, &parts);
    const std::string_view month = months[static_cast<std::size_t>(parts.tm_mon)];
    const std::string_view day = days[static_cast<std::size_t>(parts.tm_wday)];
    const int hour = parts.tm_hour % 12 == 0 ? 12 : parts.tm_hour % 12;
    std::string text;
    for (std::size_t at = 0; at < format.size(); ++at) {
        if (format[at] != '%' || at + 1 == format.size()) {
            text += format[at];
            continue;
        }
        ++at;
        const bool bare = format[at] == '-' && at + 1 < format.size(); // "%-d": without a leading zero
        if (bare) ++at;
        const auto number = [&](int value) {
            text += bare ? fmt::format("{}", value) : fmt::format("{:02}", value);
        };
        switch (format[at]) {
        case 'Y':
            text += fmt::format("{}", parts.tm_year + 1900);
            break;
        case 'y':
            number(parts.tm_year % 100);
            break;
        case 'm':
            number(parts.tm_mon + 1);
            break;
        case 'd':
            number(parts.tm_mday);
            break;
        case 'H':
            number(parts.tm_hour);
            break;
        case 'I':
            number(hour);
            break;
        case 'M':
            number(parts.tm_min);
            break;
        case 'S':
            number(parts.tm_sec);
            break;
        case 'p':
            text += parts.tm_hour < 12 ? "AM" : "PM";
            break;
        case 'B':
            text += month;
            break;
        case 'b':
            text += month.substr(0, 3);
            break;
        case 'A':
            text += day;
            break;
        case 'a':
            text += day.substr(0, 3);
            break;
        case 'j':
            text += bare ? fmt::format("{}", parts.tm_yday + 1) : fmt::format("{:03}", parts.tm_yday + 1);
            break;
        case '%':
            text += '%';
            break;
        default:
            text += '%';
            text += format[at];
        }
    }
    return text;
}

Result<ChatTemplate> ChatTemplate::parse(std::string_view source) {
    VITRINE_TRY(check_utf8(source, "The chat template"));
    VITRINE_ASSIGN(Block block, chat::parse(source));
    ChatTemplate made;
    made.block_ = std::make_shared<const Block>(std::move(block));
    return made;
}

Result<Rendered> ChatTemplate::render(const Conversation& conversation, const Json& special,
                                      const ChatOptions& options) const {
    VITRINE_TRY(check_messages(conversation.messages));
    Dict variables;
    for (const auto& [name, value] : special.items())
        variables.emplace_back(name, Value::from_json(value));
    variables.emplace_back("tools", Value::none());
    variables.emplace_back("documents", Value::none());
    for (const auto& [name, value] : conversation.extra.items())
        variables.emplace_back(name, Value::from_json(value));
    variables.emplace_back("messages", Value::from_json(conversation.messages));
    variables.emplace_back("add_generation_prompt", Value(options.add_generation_prompt));
    const std::time_t now = options.now.value_or(std::time(nullptr));
    variables.emplace_back("strftime_now", Value(Function([now](const Arguments& arguments) -> Result<Value> {
                               if (arguments.places.empty())
                                   return fail(Code::malformed, "a format is missing");
                               return Value(formatted_time(arguments.places[0].printed(), now));
                           })));
    VITRINE_ASSIGN(Rendered rendered, chat::render(*block_, variables, options.most_steps));
    const auto bos = special.find("bos_token");
    add_edges(rendered, bos != special.end() && bos->is_string() ? bos->get<std::string>() : "",
              options.add_generation_prompt);
    return rendered;
}

} // namespace vitrine::chat
