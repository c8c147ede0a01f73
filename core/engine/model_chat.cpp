#include "core/engine/model_chat.h"

#include <algorithm>
#include <array>
#include <filesystem>
#include <system_error>

#include <fmt/format.h>

#include "core/base/mapped_file.h"
#include "core/base/utf8.h"
#include "core/engine/engine.h"
#include "core/formats/gguf.h"
#include "core/formats/json_depth.h"
#include "core/formats/large_json.h"
#include "core/model/gguf_model.h"
#include "core/model/shapes.h"

namespace vitrine::engine {

namespace {

namespace fs = std::filesystem;

constexpr std::size_t largest_template = std::size_t{1} << 20;

Result<std::string> template_text(const fs::path& path) {
    VITRINE_ASSIGN(std::string text, read_text(path, largest_template));
    VITRINE_TRY(check_utf8(text, path.string()));
    return text;
}

/// An object, empty if there is no such file.
Result<formats::LargeJson> object_of(const fs::path& path) {
    std::error_code ignored;
    if (!fs::exists(path, ignored)) return formats::LargeJson::object();
    VITRINE_ASSIGN(const std::string text, read_text(path));
    VITRINE_ASSIGN(formats::LargeJson json, formats::parse_large_json(text, path.string()));
    if (!json.is_object())
        return fail(Code::malformed, fmt::format("{} must hold a JSON object.", path.string()));
    return json;
}

/// Members named "…_token": a text, or an object with its "content".
void add_special(Json& special, const formats::LargeJson& config) {
    for (const auto& [name, value] : config.items()) {
        if (!name.ends_with("_token") || special.contains(name)) continue;
        const formats::LargeJson* text = &value;
        if (value.is_object() && value.contains("content")) text = &value["content"];
        if (text->is_string()) special[name] = text->get<std::string>();
    }
}

Status add_template_files(ModelChat& chat, const fs::path& folder) {
    std::error_code ignored;
    if (fs::exists(folder / "chat_template.jinja", ignored)) {
        VITRINE_ASSIGN(std::string text, template_text(folder / "chat_template.jinja"));
        chat.templates.emplace_back("default", std::move(text));
    }
    std::vector<fs::path> more;
    for (const auto& entry : fs::directory_iterator(folder / "additional_chat_templates", ignored))
        if (entry.path().extension() == ".jinja") more.push_back(entry.path());
    std::sort(more.begin(), more.end());
    for (const fs::path& path : more) {
        VITRINE_ASSIGN(std::string text, template_text(path));
        chat.templates.emplace_back(path.stem().string(), std::move(text));
    }
    return {};
}

Status add_config_templates(ModelChat& chat, const formats::LargeJson& config, const fs::path& path) {
    const auto found = config.find("chat_template");
    if (found == config.end() || found->is_null()) return {};
    if (found->is_string()) {
        chat.templates.emplace_back("default", found->get<std::string>());
        return {};
    }
    const auto fits = [](const formats::LargeJson& entry) {
        return entry.is_object() && entry.contains("name") && entry["name"].is_string() &&
               entry.contains("template") && entry["template"].is_string();
    };
    if (!found->is_array() || !std::all_of(found->begin(), found->end(), fits))
        return fail(
            Code::malformed,
            fmt::format("{}: \"chat_template\" must be a text or a list of {{\"name\", \"template\"}}.",
                        path.string()));
    for (const auto& entry : *found)
        chat.templates.emplace_back(entry["name"].get<std::string>(), entry["template"].get<std::string>());
    return {};
}

Status read_folder(ModelChat& chat, const fs::path& folder) {
    VITRINE_ASSIGN(const auto config, object_of(folder / "tokenizer_config.json"));
    VITRINE_ASSIGN(const auto map, object_of(folder / "special_tokens_map.json"));
    VITRINE_TRY(add_template_files(chat, folder));
    if (chat.templates.empty())
        VITRINE_TRY(add_config_templates(chat, config, folder / "tokenizer_config.json"));
    add_special(chat.special, config);
    const auto extra = config.find("extra_special_tokens");
    if (extra != config.end() && extra->is_object()) add_special(chat.special, *extra);
    add_special(chat.special, map);
    return {};
}

Status read_gguf(ModelChat& chat, const fs::path& file) {
    VITRINE_ASSIGN(const formats::GgufModel gguf, formats::open_gguf(file));
    const formats::GgufMetadata& data = gguf.metadata;
    const std::string key = "tokenizer.chat_template";
    if (const auto text = data.text(key)) chat.templates.emplace_back("default", *text);
    for (const std::string& name : data.keys())
        if (name.starts_with(key + "."))
            if (const auto text = data.text(name))
                chat.templates.emplace_back(name.substr(key.size() + 1), *text);
    for (const auto& [name, source] : chat.templates)
        VITRINE_TRY(check_utf8(source, fmt::format("{}: {}", file.string(), key)));
    const auto tokens = data.texts("tokenizer.ggml.tokens");
    if (!tokens) return {};
    constexpr std::array<std::pair<const char*, const char*>, 7> names{
        {{"bos", "bos"},
         {"eos", "eos"},
         {"unknown", "unk"},
         {"padding", "pad"},
         {"seperator", "sep"}, // as it is spelled there
         {"cls", "cls"},
         {"mask", "mask"}}};
    for (const auto& [stored, name] : names) {
        const auto id = data.integer(fmt::format("tokenizer.ggml.{}_token_id", stored));
        if (!id || *id < 0 || static_cast<std::size_t>(*id) >= tokens->size()) continue;
        const std::string text((*tokens)[static_cast<std::size_t>(*id)]);
        if (!invalid_utf8_at(text)) chat.special[fmt::format("{}_token", name)] = text;
    }
    return {};
}

/// The template for a conversation; unsupported with the names there are.
Result<std::string_view> choose_template(const ModelChat& chat, const Json& extra) {
    const auto named = [&](std::string_view name) -> const std::string* {
        for (const auto& [known, text] : chat.templates)
            if (known == name) return &text;
        return nullptr;
    };
    if (chat.templates.empty())
        return fail(Code::unsupported,
                    fmt::format("{} has no chat template; write the prompt out as a text.", chat.model));
    std::string list;
    for (const auto& [name, text] : chat.templates)
        list += (list.empty() ? "" : ", ") + name;
    const auto wanted = extra.find("chat_template");
    if (wanted != extra.end() && wanted->is_string()) {
        if (const auto* text = named(wanted->get<std::string>())) return std::string_view(*text);
        return fail(Code::not_found, fmt::format("{} has no chat template \"{}\"; it has {}.", chat.model,
                                                 wanted->get<std::string>(), list));
    }
    const auto tools = extra.find("tools");
    if (tools != extra.end() && !tools->is_null())
        if (const auto* text = named("tool_use")) return std::string_view(*text);
    if (const auto* text = named("default")) return std::string_view(*text);
    return fail(Code::unsupported,
                fmt::format("{} has several chat templates and none is its default; name one of {} as "
                            "\"chat_template\" of the conversation.",
                            chat.model, list));
}

Status check_messages(const Json& messages, const std::string& where) {
    if (!messages.is_array() || messages.empty())
        return fail(Code::malformed,
                    fmt::format("{}: a conversation must be a list of at least one message.", where));
    for (std::size_t i = 0; i < messages.size(); ++i) {
        const Json& message = messages[i];
        const bool fits = message.is_object() && message.contains("role") && message["role"].is_string() &&
                          !message["role"].get_ref<const std::string&>().empty();
        if (!fits)
            return fail(Code::malformed,
                        fmt::format("{}: message {} has no \"role\" such as \"user\".", where, i + 1));
    }
    return {};
}

bool is_list_of_messages(const Json& json) {
    return json.is_array() && (json.empty() || json.front().is_object());
}

Result<chat::Conversation> conversation_of(const Json& json, const std::string& where) {
    chat::Conversation conversation;
    if (json.is_array()) {
        conversation.messages = json;
    } else if (json.is_object() && json.contains("messages")) {
        conversation.messages = json["messages"];
        for (const auto& [name, value] : json.items())
            if (name != "messages") conversation.extra[name] = value;
    } else {
        return fail(
            Code::malformed,
            fmt::format("{}: a conversation must be a list of {{\"role\", \"content\"}}, or an object "
                        "with such \"messages\".",
                        where));
    }
    VITRINE_TRY(check_messages(conversation.messages, where));
    return conversation;
}

} // namespace

Result<ModelChat> read_model_chat(const std::string& model) {
    ModelChat chat;
    chat.model = model;
    const auto& shapes = model::shape_names();
    if (std::find(shapes.begin(), shapes.end(), model) != shapes.end()) return chat;
    VITRINE_ASSIGN(const fs::path path, model_folder(model));
    std::error_code ignored;
    if (!fs::exists(path, ignored))
        return fail(Code::not_found, fmt::format("There is no file or folder {}.", path.string()));
    // A bare tokenizer's folder is no model, but may hold a template.
    const auto gguf = model::gguf_at(path);
    if (gguf && !gguf->empty())
        VITRINE_TRY(read_gguf(chat, *gguf));
    else
        VITRINE_TRY(read_folder(chat, tokenizer_folder(path)));
    return chat;
}

Result<chat::Rendered> write_conversation(const ModelChat& model, const chat::Conversation& conversation,
                                          std::optional<std::time_t> now) {
    VITRINE_ASSIGN(const std::string_view source, choose_template(model, conversation.extra));
    VITRINE_ASSIGN(const auto parsed, chat::ChatTemplate::parse(source));
    VITRINE_TRY(check_messages(conversation.messages, "The conversation"));
    chat::ChatOptions options;
    options.now = now;
    options.add_generation_prompt = conversation.messages.back()["role"] != "assistant";
    const auto said = conversation.extra.find("add_generation_prompt");
    if (said != conversation.extra.end() && said->is_boolean())
        options.add_generation_prompt = said->get<bool>();
    return parsed.render(conversation, model.special, options);
}

Result<std::vector<chat::Conversation>> parse_conversations(std::string_view text, const std::string& where) {
    VITRINE_TRY(check_utf8(text, where));
    if (formats::nests_deeper_than(text, formats::deepest_json))
        return fail(Code::too_large,
                    fmt::format("{} is nested deeper than {} levels.", where, formats::deepest_json));
    std::vector<chat::Conversation> conversations;
    const auto add = [&](const Json& json, const std::string& place) -> Status {
        VITRINE_ASSIGN(auto conversation, conversation_of(json, place));
        conversations.push_back(std::move(conversation));
        return {};
    };
    const auto whole = parse_json(text, where);
    if (whole && whole->is_array() && !is_list_of_messages(*whole)) {
        for (std::size_t i = 0; i < whole->size(); ++i)
            VITRINE_TRY(add((*whole)[i], fmt::format("{}, conversation {}", where, i + 1)));
        return conversations;
    }
    if (whole) {
        VITRINE_TRY(add(*whole, where));
        return conversations;
    }
    // JSON lines: every line is a document of its own.
    std::size_t number = 0;
    for (std::size_t at = 0; at < text.size();) {
        const std::size_t end = std::min(text.find('\n', at), text.size());
        const std::string_view line = text.substr(at, end - at);
        at = end + 1;
        ++number;
        if (line.find_first_not_of(" \t\r") == std::string_view::npos) continue;
        const auto json = parse_json(line, fmt::format("{}, line {}", where, number));
        // What is no JSON as a whole and none by lines is told as a whole.
        if (!json) return tl::unexpected(conversations.empty() ? whole.error() : json.error());
        VITRINE_TRY(add(*json, fmt::format("{}, line {}", where, number)));
    }
    if (conversations.empty()) return tl::unexpected(whole.error());
    return conversations;
}

Result<std::vector<chat::Conversation>> read_conversations(const std::string& given) {
    VITRINE_TRY(check_utf8(given, "The conversation"));
    const std::size_t first = given.find_first_not_of(" \t\r\n");
    const bool is_json = first != std::string::npos && (given[first] == '[' || given[first] == '{');
    if (is_json) return parse_conversations(given, "The conversation");
    std::error_code error;
    const fs::path path(given);
    const bool is_file = fs::is_regular_file(path, error);
    if (is_file || given.ends_with(".json") || given.ends_with(".jsonl")) {
        VITRINE_ASSIGN(const std::string text, read_text(path));
        return parse_conversations(text, given);
    }
    chat::Conversation one;
    one.messages = Json::array({Json{{"role", "user"}, {"content", given}}});
    return std::vector<chat::Conversation>{std::move(one)};
}

} // namespace vitrine::engine
