#pragma once
#include <QPlainTextEdit>
#include <functional>
#include <vector>

#include "views/shared/desk.h"

namespace vitrine::window {

/// Several lines of text, underlined as the tokenizer cuts them; the token's id on hover.
class PromptEditor : public QPlainTextEdit {
    Q_OBJECT

public:
    /// Bytes [start, end) of the text in UTF-8.
    struct Span {
        std::uint32_t start = 0;
        std::uint32_t end = 0;
    };

    explicit PromptEditor(views::Desk& desk, QWidget* parent = nullptr);
    /// `tip`: what to say about one of them.
    void set_spans(std::vector<Span> spans, std::function<QString(std::size_t)> tip);

    QSize sizeHint() const override;
    QSize minimumSizeHint() const override { return {100, line_height() + 12}; }

signals:
    void run_pressed(); ///< Ctrl+Enter

protected:
    bool event(QEvent* event) override;
    void keyPressEvent(QKeyEvent* event) override;
    void resizeEvent(QResizeEvent* event) override;
    /// Files that are dropped are the window's business.
    bool canInsertFromMimeData(const QMimeData* source) const override;

private:
    int line_height() const { return fontMetrics().lineSpacing(); }
    void restyle();
    void underline();
    void scrolled();

    views::Desk& desk_;
    std::vector<Span> spans_;
    std::function<QString(std::size_t)> tip_;
    std::vector<int> letter_of_byte_; ///< index in QChars of each byte of the text, and of its end
};

} // namespace vitrine::window
