#pragma once
// From a typed text to tokens: as it stands, or as a conversation in the model's own form.
#include <optional>

#include "app/window/bench.h"
#include "core/engine/model_chat.h"
#include "views/figure/text.h"
#include "views/shared/token_role.h"

namespace vitrine::window {

/// A tokenized text.
struct Encoded {
    std::vector<tokenizer::Token> spans; ///< bytes of the typed text
    std::vector<figure::Token> tokens;
    std::vector<views::TokenRole> roles; ///< of a conversation
};

/// How a text becomes tokens.
struct TextForm {
    bool chat = false; ///< as a conversation in the model's own form; special tokens come from its template
    tokenizer::Specials specials = tokenizer::Specials::by_template;
    bool operator==(const TextForm&) const = default;
};

/// Reads texts for the open model, whose chat template it keeps.
class PromptReader : public QObject {
    Q_OBJECT

public:
    explicit PromptReader(Bench& bench, QObject* parent = nullptr);

    Result<run::RunRow> encode(const QString& text, const TextForm& form, Encoded& out) const;
    /// Whether the model has a template for conversations.
    bool has_chat() const { return chat_ && !chat_->templates.empty(); }
    /// Another model is open.
    void forget_chat();
    /// Reads the chat template of the open model; says `chat_read`.
    void read_chat();

signals:
    void chat_read();

private:
    Result<run::RunRow> encode_chat(const QString& text, Encoded& out) const;

    Bench& bench_;
    std::optional<engine::ModelChat> chat_; ///< of the model; none before it is read
    QString no_chat_;                       ///< why it could not be read
};

} // namespace vitrine::window
