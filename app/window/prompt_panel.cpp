#include "app/window/prompt_panel.h"

#include <QHBoxLayout>
#include <QLabel>
#include <QPushButton>
#include <QToolButton>
#include <QVBoxLayout>
#include <algorithm>
#include <cmath>

#include "views/attention/sinks.h"

namespace vitrine::window {

namespace {} // namespace

PromptPanel::PromptPanel(Runner& runner, views::Desk& desk, QWidget* parent)
    : QWidget(parent), runner_(runner), desk_(desk), editor_(new PromptEditor(desk, this)),
      strip_(new views::TokenStrip(desk, this)), run_(new QPushButton(tr("Run"), this)),
      generate_(new QPushButton(tr("Generate"), this)), bos_(new QToolButton(this)),
      chat_(new QToolButton(this)), refusal_(new QLabel(this)) {
    run_->setToolTip(tr("Record this run in the session now (Ctrl+Enter). Typing runs by itself."));
    generate_->setToolTip(tr(
        "Let the model go on; the Entropy page shows how sure it was at each token, and has the settings."));
    bos_->setText(tr("BOS"));
    bos_->setCheckable(true);
    bos_->setToolTip(tr("Begin the text with the model's begin-of-sequence token, or leave it out."));
    chat_->setText(tr("Chat"));
    chat_->setCheckable(true);
    chat_->setToolTip(
        tr("Read the text as a conversation and write it in the model's own form. Lines that begin "
           "with “system:”, “user:” or “assistant:” begin a message; what stands before the first is "
           "the user's."));
    refusal_->setWordWrap(true);
    refusal_->hide();

    auto* top = new QHBoxLayout;
    top->setSpacing(6);
    top->addWidget(editor_, 1);
    top->addWidget(run_, 0, Qt::AlignTop);
    top->addWidget(generate_, 0, Qt::AlignTop);
    auto* below = new QHBoxLayout;
    below->setSpacing(8);
    auto* level = new QVBoxLayout; // with the chips, whatever stands above them
    level->addStretch(1);
    auto* buttons = new QHBoxLayout;
    buttons->setSpacing(8);
    buttons->addWidget(bos_);
    buttons->addWidget(chat_);
    level->addLayout(buttons);
    level->addSpacing(8);
    below->addLayout(level);
    below->addWidget(strip_, 1);
    auto* column = new QVBoxLayout(this);
    column->setContentsMargins(10, 4, 10, 2);
    column->setSpacing(2);
    column->addLayout(top);
    column->addWidget(refusal_);
    column->addLayout(below);

    connect(editor_, &QPlainTextEdit::textChanged, this, [this] {
        if (editor_->toPlainText() != runner_.text()) runner_.set_text(editor_->toPlainText());
    });
    connect(editor_, &PromptEditor::run_pressed, &runner_, &Runner::commit);
    connect(run_, &QPushButton::clicked, &runner_, &Runner::commit);
    connect(generate_, &QPushButton::clicked, this, [this] { runner_.generate(); });
    connect(bos_, &QToolButton::clicked, this, [this](bool on) {
        runner_.change_form({false, on ? tokenizer::Specials::always_bos : tokenizer::Specials::never_bos});
    });
    connect(chat_, &QToolButton::clicked, this, [this](bool on) {
        runner_.change_form({on, tokenizer::Specials::by_template});
    });
    connect(&runner_, &Runner::form_changed, this, &PromptPanel::show_form);
    connect(&runner_, &Runner::encoded, this, &PromptPanel::show_encoded);
    connect(&runner_, &Runner::refused, this, &PromptPanel::show_refusal);
    connect(&runner_, &Runner::generated, this, [this](const QString& text) {
        editor_->moveCursor(QTextCursor::End);
        editor_->insertPlainText(text);
    });
    connect(&desk_, &views::Desk::run_changed, this, &PromptPanel::colour_strip);
    connect(&desk_.selection, &views::Selection::changed, this, &PromptPanel::colour_strip);
    connect(&desk_, &views::Desk::theme_changed, this, &PromptPanel::colour_strip);
    connect(&desk_, &views::Desk::facts_changed, this, &PromptPanel::colour_strip);
}

void PromptPanel::set_text(const QString& text) {
    const QSignalBlocker quiet(editor_);
    editor_->setPlainText(text);
    editor_->moveCursor(QTextCursor::End);
    editor_->ensureCursorVisible();
}

void PromptPanel::show_form() {
    const bool chat = runner_.form().chat;
    chat_->setVisible(runner_.has_chat() || chat);
    chat_->setChecked(chat);
    bos_->setVisible(runner_.has_bos() && !chat);
    editor_->setPlaceholderText(chat ? tr("user: Type a message. It runs while you type.")
                                     : tr("Type a prompt. It runs while you type."));
}

void PromptPanel::show_encoded(const Encoded& what) {
    std::vector<PromptEditor::Span> spans;
    bool bos = false;
    for (std::size_t i = 0; i < what.spans.size(); ++i) {
        const figure::Token& token = what.tokens[i];
        spans.push_back({what.spans[i].start, what.spans[i].end});
        bos = bos || (i == 0 && token.special && what.spans[i].end == 0);
    }
    encoded_ = what;
    editor_->set_spans(std::move(spans), [this](std::size_t at) {
        const figure::Token& token = encoded_.tokens[at];
        return tr("%1 · id %2 · bytes %3").arg(token.shown).arg(token.id).arg(figure::hex_bytes(token.bytes));
    });
    show_form();
    bos_->setChecked(bos);
    strip_->set_tokens(what.tokens);
    strip_->set_roles(what.roles);
}

void PromptPanel::colour_strip() {
    const views::RunPtr& run = desk_.shown();
    if (!run) return;
    if (!desk_.stale()) {
        strip_->set_tokens(run->tokens);
        const bool same =
            std::equal(run->tokens.begin(), run->tokens.end(), encoded_.tokens.begin(), encoded_.tokens.end(),
                       [](const auto& a, const auto& b) { return a.id == b.id; });
        strip_->set_roles(same ? encoded_.roles : std::vector<views::TokenRole>());
    }
    const views::Place& place = desk_.selection.place();
    if (run->is_long()) {
        colour_long_strip(*run);
        return;
    }
    if (!run->has_patterns()) return;
    const figure::Matrix pattern = run->pattern(place.layer, place.head);
    figure::ColourScale scale;
    scale.map = desk_.theme().amounts;
    scale.unit = QStringLiteral("attention");
    std::vector<double> scores(static_cast<std::size_t>(run->size()), NAN);
    for (int key = 0; key <= place.query && key < run->size(); ++key)
        scores[static_cast<std::size_t>(key)] = pattern.at(place.query, key);
    std::vector<bool> sinks = views::sink_columns(pattern);
    if (desk_.side() == views::Side::difference && desk_.why_no_difference().isEmpty()) {
        const figure::Matrix other = desk_.b()->pattern(place.layer, place.head);
        double largest = 1e-6;
        for (int key = 0; key <= place.query; ++key) {
            double& score = scores[static_cast<std::size_t>(key)];
            score -= other.at(place.query, key);
            largest = std::max(largest, std::abs(score));
        }
        scale.map = desk_.theme().differences();
        scale.min = -largest;
        scale.max = largest;
        scale.unit = QStringLiteral("A − B");
        sinks.clear();
    }
    strip_->set_scores(std::move(scores), scale, std::move(sinks));
}

// Where patterns are not kept, from the selected head once it stands open.
void PromptPanel::colour_long_strip(const views::ShownRun& run) {
    const views::Place& place = desk_.selection.place();
    figure::ColourScale scale;
    scale.map = desk_.theme().amounts;
    scale.unit = QStringLiteral("attention");
    const auto open = run.store->find(place.layer, place.head, {});
    if (!open || place.query >= run.size()) {
        strip_->set_scores({}, scale, {});
        return;
    }
    std::vector<double> scores;
    for (const float weight : open->row(place.query))
        scores.push_back(weight);
    scores.resize(static_cast<std::size_t>(run.size()), NAN);
    strip_->set_scores(std::move(scores), scale, views::sinks_by(open->statistics().alpha));
}

void PromptPanel::show_refusal(const QString& sentence) {
    refusal_->setText(QStringLiteral("<span style='color:%1'>%2</span>")
                          .arg(desk_.theme().warning.name(), sentence.toHtmlEscaped()));
    refusal_->setVisible(!sentence.isEmpty());
}

} // namespace vitrine::window
