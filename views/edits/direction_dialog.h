#pragma once
#include <QDialog>

#include "views/shared/desk.h"

class QComboBox;
class QDoubleSpinBox;
class QLabel;
class QLineEdit;
class QPushButton;

namespace vitrine::views {

/// An intervention with a direction from a .npy file, such as steering-vector writes: which file, where it
/// acts, how, how strongly, and on which tokens.
class DirectionDialog : public QDialog {
    Q_OBJECT

public:
    explicit DirectionDialog(Desk& desk, QWidget* parent = nullptr);
    void set_file(const QString& file);
    /// What it would add, in the grammar of --edit; empty while there is no file.
    QString edit() const;

private:
    void build();
    void browse();
    void show_edit();
    void add();

    Desk& desk_;
    QLineEdit* file_;
    QComboBox *hook_, *op_, *positions_;
    QDoubleSpinBox* strength_;
    QLabel* said_;
    QPushButton* add_;
};

} // namespace vitrine::views
