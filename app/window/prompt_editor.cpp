#include "app/window/prompt_editor.h"

#include <QHelpEvent>
#include <QMimeData>
#include <QScrollBar>
#include <QToolTip>
#include <algorithm>
#include <limits>

namespace vitrine::window {

namespace {

constexpr int low_window = 900;          ///< pixels of height
constexpr std::size_t many_spans = 1000; ///< of more only those in sight are underlined

} // namespace

PromptEditor::PromptEditor(views::Desk& desk, QWidget* parent) : QPlainTextEdit(parent), desk_(desk) {
    setPlaceholderText(tr("Type a prompt. It runs while you type."));
    setTabChangesFocus(true);
    setFrameShape(QFrame::NoFrame);
    setSizePolicy(QSizePolicy::Expanding, QSizePolicy::Fixed);
    setVerticalScrollBarPolicy(Qt::ScrollBarAsNeeded);
    setAccessibleName(tr("Prompt"));
    connect(&desk_, &views::Desk::theme_changed, this, &PromptEditor::restyle);
    connect(document(), &QTextDocument::contentsChanged, this, &QWidget::updateGeometry);
    connect(verticalScrollBar(), &QScrollBar::valueChanged, this, &PromptEditor::scrolled);
    restyle();
}

void PromptEditor::scrolled() {
    if (spans_.size() > many_spans) underline();
}

void PromptEditor::resizeEvent(QResizeEvent* event) {
    QPlainTextEdit::resizeEvent(event);
    scrolled();
}

QSize PromptEditor::sizeHint() const {
    // One line while the text is one; in a low window the picture needs the room.
    const bool low = window()->height() < low_window;
    const int lines = std::clamp(document()->lineCount(), low ? 1 : 2, low ? 3 : 5);
    return {400, lines * line_height() + 12};
}

void PromptEditor::restyle() {
    QFont font = desk_.theme().font(15);
    setFont(font);
    underline();
    updateGeometry();
}

void PromptEditor::set_spans(std::vector<Span> spans, std::function<QString(std::size_t)> tip) {
    spans_ = std::move(spans);
    tip_ = std::move(tip);
    letter_of_byte_.clear();
    const QString text = toPlainText();
    for (int at = 0; at < text.size();) {
        const bool pair = text[at].isHighSurrogate() && at + 1 < text.size();
        const char32_t point = pair ? QChar::surrogateToUcs4(text[at], text[at + 1]) : text[at].unicode();
        const int bytes = point < 0x80 ? 1 : point < 0x800 ? 2 : point < 0x10000 ? 3 : 4;
        letter_of_byte_.insert(letter_of_byte_.end(), static_cast<std::size_t>(bytes), at);
        at += pair ? 2 : 1;
    }
    letter_of_byte_.push_back(static_cast<int>(text.size()));
    underline();
}

void PromptEditor::underline() {
    QList<QTextEdit::ExtraSelection> lines;
    bool odd = false;
    // Each underline is a cursor that the document moves with every letter typed.
    int first = 0, last = std::numeric_limits<int>::max();
    if (spans_.size() > many_spans) {
        first = cursorForPosition(QPoint(0, 0)).position();
        last = cursorForPosition(viewport()->rect().bottomRight()).position();
    }
    for (const Span& span : spans_) {
        if (span.end <= span.start || span.end >= letter_of_byte_.size()) continue;
        if (letter_of_byte_[span.end] < first || letter_of_byte_[span.start] > last) {
            odd = !odd;
            continue;
        }
        QTextEdit::ExtraSelection line;
        line.cursor = QTextCursor(document());
        line.cursor.setPosition(letter_of_byte_[span.start]);
        line.cursor.setPosition(letter_of_byte_[span.end], QTextCursor::KeepAnchor);
        line.format.setUnderlineStyle(QTextCharFormat::SingleUnderline);
        line.format.setUnderlineColor(odd ? desk_.theme().key : desk_.theme().query);
        odd = !odd;
        lines.push_back(line);
    }
    setExtraSelections(lines);
}

bool PromptEditor::event(QEvent* event) {
    if (event->type() == QEvent::ToolTip) {
        const auto* help = static_cast<QHelpEvent*>(event);
        const int letter = cursorForPosition(viewport()->mapFrom(this, help->pos())).position();
        for (std::size_t at = 0; at < spans_.size(); ++at) {
            const Span& span = spans_[at];
            if (span.end >= letter_of_byte_.size()) continue;
            if (letter_of_byte_[span.start] <= letter && letter < letter_of_byte_[span.end]) {
                QToolTip::showText(help->globalPos(), tip_(at), this);
                return true;
            }
        }
        QToolTip::hideText();
        return true;
    }
    return QPlainTextEdit::event(event);
}

bool PromptEditor::canInsertFromMimeData(const QMimeData* source) const {
    return !source->hasUrls() && QPlainTextEdit::canInsertFromMimeData(source);
}

void PromptEditor::keyPressEvent(QKeyEvent* event) {
    const bool enter = event->key() == Qt::Key_Return || event->key() == Qt::Key_Enter;
    if (enter && event->modifiers() & Qt::ControlModifier)
        emit run_pressed();
    else
        QPlainTextEdit::keyPressEvent(event);
}

} // namespace vitrine::window
