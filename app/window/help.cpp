#include "app/window/help.h"

#include <QDialogButtonBox>
#include <QFile>
#include <QTextBlock>
#include <QTextBrowser>
#include <QTextTable>
#include <QVBoxLayout>

namespace vitrine::window {

HelpDialog::HelpDialog(QWidget* parent) : QDialog(parent), text_(new QTextBrowser(this)) {
    setWindowTitle(tr("Help"));
    resize(640, 560);
    text_->setFrameShape(QFrame::NoFrame);
    text_->setOpenLinks(false);
    text_->document()->setDocumentMargin(16);
    auto* column = new QVBoxLayout(this);
    column->setContentsMargins(0, 0, 0, 8);
    column->addWidget(text_);
    auto* buttons = new QDialogButtonBox(QDialogButtonBox::Close, this);
    buttons->setContentsMargins(8, 0, 8, 0);
    column->addWidget(buttons);
    connect(buttons, &QDialogButtonBox::rejected, this, &QDialog::hide);
    connect(text_, &QTextBrowser::anchorClicked, this,
            [this](const QUrl& link) { show_topic(link.toString().remove(QStringLiteral(".md"))); });
}

void HelpDialog::show_topic(const QString& topic) {
    QFile page(QStringLiteral(":/help/%1.md").arg(topic));
    if (!page.open(QIODevice::ReadOnly)) {
        page.setFileName(QStringLiteral(":/help/window.md"));
        if (!page.open(QIODevice::ReadOnly)) return;
    }
    text_->setMarkdown(QString::fromUtf8(page.readAll()));
    // Markdown comes without any air between paragraphs.
    for (QTextBlock block = text_->document()->begin(); block.isValid(); block = block.next()) {
        QTextCursor cursor(block);
        QTextBlockFormat format = block.blockFormat();
        const int level = format.headingLevel();
        const bool in_table = cursor.currentTable() != nullptr;
        format.setBottomMargin(in_table ? 2 : level > 0 ? 6 : 10);
        format.setTopMargin(in_table ? 2 : 0);
        format.setLineHeight(125, QTextBlockFormat::ProportionalHeight);
        cursor.setBlockFormat(format);
        if (level == 0) continue;
        cursor.select(QTextCursor::BlockUnderCursor);
        QTextCharFormat letters;
        letters.setProperty(QTextFormat::FontSizeAdjustment, 0);
        QFont font = text_->font();
        font.setPixelSize(19);
        font.setBold(true);
        letters.setFont(font);
        cursor.mergeCharFormat(letters);
    }
    text_->moveCursor(QTextCursor::Start);
    show();
    raise();
}

} // namespace vitrine::window
