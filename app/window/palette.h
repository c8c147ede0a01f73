#pragma once
#include <QDialog>
#include <functional>
#include <vector>

class QLineEdit;
class QListWidget;

namespace vitrine::window {

/// Something that Ctrl+K finds.
struct Command {
    QString title;
    QString hint; ///< shortcut, or what kind of thing it is
    std::function<void()> act;
};

/// A list that a few letters narrow down: commands, heads, tokens, analyses, runs.
class Palette : public QDialog {
    Q_OBJECT

public:
    explicit Palette(QWidget* parent);
    /// `source` gives what there is for a text; called at each keystroke.
    void open_with(std::function<std::vector<Command>(const QString&)> source, const QString& text = {});

protected:
    bool eventFilter(QObject* object, QEvent* event) override;

private:
    void refill();
    void act();

    QLineEdit* edit_;
    QListWidget* list_;
    std::function<std::vector<Command>(const QString&)> source_;
    std::vector<Command> shown_;
};

/// Whether the letters of `wanted` occur in `text` in that order; the smaller the rank, the better. −1: no.
int match_rank(const QString& wanted, const QString& text);

} // namespace vitrine::window
