#include "app/window/prompt_reader.h"

#include <algorithm>

#include "app/window/conversation_text.h"
#include "app/window/shown_record.h"

namespace vitrine::window {

PromptReader::PromptReader(Bench& bench, QObject* parent) : QObject(parent), bench_(bench) {}

Result<run::RunRow> PromptReader::encode(const QString& text, const TextForm& form, Encoded& out) const {
    const auto& model = bench_.model();
    if (!model->tokenizer)
        return fail(Code::unsupported,
                    "This model has no tokenizer: open one with a tokenizer.json beside its weights.");
    if (form.chat) return encode_chat(text, out);
    VITRINE_ASSIGN(out.spans, model->tokenizer->encode(text.toStdString(), form.specials));
    run::RunRow row;
    for (const tokenizer::Token& token : out.spans) {
        row.ids.push_back(token.id);
        row.special.push_back(token.special);
        out.tokens.push_back(token_of(*model, token.id));
    }
    return row;
}

// Tokens lie in what the template wrote; those of the typed words are told where they were typed.
Result<run::RunRow> PromptReader::encode_chat(const QString& text, Encoded& out) const {
    const auto& model = bench_.model();
    if (!chat_)
        return fail(Code::unsupported, no_chat_.isEmpty() ? "The model's chat template is still being read."
                                                          : no_chat_.toStdString());
    VITRINE_ASSIGN(const TypedConversation typed, read_conversation(text.toStdString()));
    run::RunRow row;
    if (typed.conversation.messages.empty()) return row;
    VITRINE_ASSIGN(const auto written, engine::write_conversation(*chat_, typed.conversation));
    VITRINE_ASSIGN(out.spans, model->tokenizer->encode(written.text, tokenizer::Specials::none));
    for (const chat::RoleSpan& role : written.roles)
        out.roles.push_back({QString::fromStdString(role.role), -1, -1});
    std::vector<std::size_t> place; // of each message's words in what was written
    std::size_t from = 0;
    for (const auto& words : typed.words) {
        place.push_back(words.text.empty() ? std::string::npos : written.text.find(words.text, from));
        if (place.back() != std::string::npos) from = place.back() + words.text.size();
    }
    for (tokenizer::Token& token : out.spans) {
        row.ids.push_back(token.id);
        row.special.push_back(token.special);
        out.tokens.push_back(token_of(*model, token.id));
        const int at = static_cast<int>(row.ids.size()) - 1;
        for (std::size_t i = 0; i < written.roles.size(); ++i)
            if (written.roles[i].begin <= token.start && token.start < written.roles[i].end) {
                if (out.roles[i].first < 0) out.roles[i].first = at;
                out.roles[i].last = at;
            }
        std::size_t start = 0, end = 0;
        for (std::size_t i = 0; i < place.size(); ++i) {
            if (place[i] == std::string::npos) continue;
            const std::size_t first = std::max<std::size_t>(token.start, place[i]);
            const std::size_t last = std::min<std::size_t>(token.end, place[i] + typed.words[i].text.size());
            if (first >= last) continue;
            start = first - place[i] + typed.words[i].begin;
            end = last - place[i] + typed.words[i].begin;
        }
        token.start = static_cast<std::uint32_t>(start);
        token.end = static_cast<std::uint32_t>(end);
    }
    std::erase_if(out.roles, [](const views::TokenRole& role) { return role.first < 0; });
    return row;
}

void PromptReader::forget_chat() {
    chat_.reset();
    no_chat_.clear();
}

// The files are read again on the device's thread: a large vocabulary takes its time.
void PromptReader::read_chat() {
    bench_.post(
        this, "chat", "read the chat template",
        [name = bench_.model()->request.name](engine::Engine&, const CancelToken&, const Progress&) {
            return engine::read_model_chat(name);
        },
        [this, model = bench_.model()](Result<engine::ModelChat> read) {
            if (model != bench_.model()) return;
            if (read)
                chat_ = std::move(*read);
            else
                no_chat_ = QString::fromStdString(read.error().message);
            emit chat_read();
        });
}

} // namespace vitrine::window
