#pragma once
#include <QWidget>
#include <vector>

#include "views/shared/desk.h"

class QHBoxLayout;
class QLabel;
class QPushButton;
class QToolButton;

namespace vitrine::views {

/// An example that tells something in its first minute.
struct Door {
    QString id;
    QString title;
    QString tip;
};

/// The doors of the first minute as buttons; when one is open, its story.
class DoorsBar : public QWidget {
    Q_OBJECT

public:
    DoorsBar(Desk& desk, std::vector<Door> doors, QWidget* parent = nullptr);
    const std::vector<Door>& doors() const { return doors_; }

    void show_doors();
    /// Rich text; `id` is the door that it belongs to.
    void tell(const QString& id, const QString& story);
    QString story() const;

signals:
    void door_wanted(const QString& id);
    void closed();

private:
    void restyle();

    Desk& desk_;
    std::vector<Door> doors_;
    QLabel* words_;
    std::vector<QPushButton*> buttons_;
    QToolButton* more_;
    QToolButton* close_;
};

} // namespace vitrine::views
