#pragma once
#include <QWidget>

#include "views/shared/desk.h"

class QLabel;
class QLineEdit;
class QListWidget;
class QPushButton;

namespace vitrine::views {

/// The interventions of the current run: switched on and off, removed, cleared, added as text in the grammar
/// of --edit. With any switched on, A is the clean run and B the edited one.
class EditPanel : public QWidget {
    Q_OBJECT

public:
    explicit EditPanel(Desk& desk, QWidget* parent = nullptr);
    QLineEdit* field() { return field_; }
    /// What stands under the field: what is wrong with the text, or with the edits on this prompt.
    QString said() const;

signals:
    void refused(const QString& sentence); ///< what was just typed, and why: the panel may be too low for it

protected:
    void resizeEvent(QResizeEvent* event) override;

private:
    void refill();
    QString about() const; ///< as much of it as the panel's height shows
    void refresh_words();
    void add();

    Desk& desk_;
    QLabel* about_;
    QListWidget* list_;
    QLineEdit* field_;
    QLabel* wrong_;
    QPushButton* ablate_;
    QPushButton* clear_;
    QString sentence_; ///< about the text in the field
    bool filling_ = false;
};

} // namespace vitrine::views
