#pragma once
#include <QWidget>

#include "views/edits/set_menu.h"

class QDoubleSpinBox;
class QLabel;
class QLineEdit;
class QListWidget;
class QListWidgetItem;
class QPushButton;
class QToolButton;

namespace vitrine::views {

/// The interventions of the current run: switched on and off, put into another order, made stronger or
/// weaker, written anew in place, removed, kept as named sets; added as text in the grammar of --edit. With
/// any switched on, A is the clean run and B the edited one.
class EditPanel : public QWidget {
    Q_OBJECT

public:
    explicit EditPanel(Desk& desk, QWidget* parent = nullptr);
    QLineEdit* field() { return field_; }
    QDoubleSpinBox* strength() { return strength_; }
    SetMenu* sets() { return sets_; }
    /// What stands under the field: what is wrong with the text, or with the edits on this prompt.
    QString said() const;

signals:
    void refused(const QString& sentence); ///< what was just typed, and why: the panel may be too low for it

protected:
    void resizeEvent(QResizeEvent* event) override;

private:
    void build_list();
    void build_strength();
    void refill();
    void take_item(QListWidgetItem* item);
    void show_menu(const QPoint& at);
    void move_current(int by);
    void show_strength();
    void say(const QString& sentence);
    const Edit* current() const;
    QString about() const; ///< as much of it as the panel's height shows
    void refresh_words();
    void add();

    Desk& desk_;
    QLabel* about_;
    QListWidget* list_;
    QWidget* strength_row_;
    QLabel* op_;
    QDoubleSpinBox* strength_;
    QLineEdit* field_;
    QLabel* wrong_;
    QPushButton* ablate_;
    SetMenu* sets_;
    QToolButton* sets_button_;
    QString sentence_; ///< about what was just written
    bool filling_ = false;
};

} // namespace vitrine::views
