#include "views/edits/set_menu.h"

#include <QApplication>
#include <QClipboard>
#include <QInputDialog>

#include "views/edits/direction_dialog.h"

namespace vitrine::views {

SetMenu::SetMenu(Desk& desk, QWidget* parent) : QMenu(parent), desk_(desk) {
    setToolTipsVisible(true);
    connect(this, &QMenu::aboutToShow, this, &SetMenu::fill);
    fill();
}

void SetMenu::fill() {
    clear();
    const bool some = !desk_.edits.all().empty();
    const auto add = [this](const QString& title, const QString& tip, bool can,
                            const std::function<void()>& act) {
        QAction* action = addAction(title, this, act);
        action->setToolTip(tip);
        action->setEnabled(can);
    };
    add(tr("Save as a set…"), tr("Keeps this list under a name, with the session"), some, [this] {
        ask_name(tr("Save these interventions as"), desk_.edit_sets.name_of(desk_.edits.all()),
                 [this](const QString& name) { return desk_.edit_sets.save(name, desk_.edits.all()); });
    });
    add_sets(tr("Load"), {}, [this](const QString& name) {
        if (const EditSet* set = desk_.edit_sets.find(name)) desk_.edits.set_all(set->edits);
    });
    add_sets(tr("Rename"), {}, [this](const QString& from) {
        ask_name(tr("Rename the set %1 to").arg(from), from,
                 [this, from](const QString& name) { return desk_.edit_sets.rename(from, name); });
    });
    add_sets(tr("Delete"), tr("Ctrl+Z brings it back"),
             [this](const QString& name) { desk_.edit_sets.remove(name); });
    addSeparator();
    add(tr("Add direction…"),
        tr("Steering: a vector from a file that steering-vector has written, added, taken "
           "out or capped"),
        desk_.a() != nullptr, [this] { ask_direction(); });
    add(tr("Copy as --edit options"),
        tr("Those that are switched on, for vitrine-cli run, generate, analyze"),
        !desk_.edits.active().isEmpty(),
        [this] { QApplication::clipboard()->setText(command_options(desk_.edits.active()).trimmed()); });
    add(tr("Remove all"), tr("Empties the list; Ctrl+Z brings it back"), some,
        [this] { desk_.edits.clear(); });
}

void SetMenu::add_sets(const QString& title, const QString& tip,
                       const std::function<void(const QString&)>& act) {
    QMenu* names = addMenu(title);
    names->setToolTipsVisible(true);
    names->setEnabled(!desk_.edit_sets.all().empty());
    for (const EditSet& set : desk_.edit_sets.all()) {
        QStringList lines;
        for (const Edit& edit : set.edits)
            lines << (edit.on ? edit.text : tr("%1 (off)").arg(edit.text));
        if (!tip.isEmpty()) lines << tip;
        QString shown = set.name;
        QAction* action = names->addAction(shown.replace(QLatin1Char('&'), QStringLiteral("&&")), this,
                                           [act, name = set.name] { act(name); });
        action->setToolTip(lines.join(QLatin1Char('\n')));
    }
}

void SetMenu::ask_direction() {
    auto* dialog = new DirectionDialog(desk_, parentWidget());
    dialog->setAttribute(Qt::WA_DeleteOnClose);
    dialog->open();
}

void SetMenu::ask_name(const QString& title, const QString& name,
                       std::function<QString(const QString&)> use) {
    auto* dialog = new QInputDialog(parentWidget());
    dialog->setAttribute(Qt::WA_DeleteOnClose);
    dialog->setWindowTitle(tr("Interventions"));
    dialog->setLabelText(title);
    dialog->setTextValue(name);
    connect(dialog, &QInputDialog::textValueSelected, this,
            [this, use = std::move(use)](const QString& text) {
                if (const QString wrong = use(text); !wrong.isEmpty()) emit refused(wrong);
            });
    dialog->open();
}

} // namespace vitrine::views
