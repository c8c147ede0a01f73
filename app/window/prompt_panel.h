#pragma once
#include <QWidget>

#include "app/window/prompt_editor.h"
#include "app/window/runner.h"
#include "views/shared/token_strip.h"

class QLabel;
class QPushButton;
class QToolButton;

namespace vitrine::window {

/// The prompt with its buttons, and beneath it the tokens.
class PromptPanel : public QWidget {
    Q_OBJECT

public:
    PromptPanel(Runner& runner, views::Desk& desk, QWidget* parent = nullptr);

    PromptEditor* editor() { return editor_; }
    views::TokenStrip* strip() { return strip_; }
    /// Shows a text without running it.
    void set_text(const QString& text);

private:
    void show_form();
    void show_encoded(const Encoded& what);
    void colour_strip();
    void colour_long_strip(const views::ShownRun& run);
    void show_refusal(const QString& sentence);

    Runner& runner_;
    views::Desk& desk_;
    PromptEditor* editor_;
    views::TokenStrip* strip_;
    QPushButton* run_;
    QPushButton* generate_;
    QToolButton* bos_;
    QToolButton* chat_;
    QLabel* refusal_;
    Encoded encoded_; ///< what the strip's roles belong to
};

} // namespace vitrine::window
