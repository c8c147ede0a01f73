#pragma once
#include <QDialog>

class QTextBrowser;

namespace vitrine::window {

/// The pages of resources/help, Markdown inside the program.
class HelpDialog : public QDialog {
    Q_OBJECT

public:
    explicit HelpDialog(QWidget* parent);
    /// "window", "attention", …; the overview if there is no such page.
    void show_topic(const QString& topic);

private:
    QTextBrowser* text_;
};

} // namespace vitrine::window
