#pragma once
#include <QMenu>

#include "views/shared/desk.h"

namespace vitrine::views {

/// What can be done with the whole list of interventions: saved under a name, loaded, renamed, deleted,
/// copied for the command line, emptied. Undo takes all of it back.
class SetMenu : public QMenu {
    Q_OBJECT

public:
    explicit SetMenu(Desk& desk, QWidget* parent = nullptr);

signals:
    void refused(const QString& sentence); ///< why a name cannot be had

private:
    void fill();
    void ask_direction();
    void ask_name(const QString& title, const QString& name, std::function<QString(const QString&)> use);
    void add_sets(const QString& title, const QString& tip, const std::function<void(const QString&)>& act);

    Desk& desk_;
};

} // namespace vitrine::views
