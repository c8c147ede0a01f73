#include "views/shared/gestures.h"

#include <QApplication>
#include <QClipboard>
#include <QKeyEvent>

namespace vitrine::views {

bool handle_selection_key(Desk& desk, const QKeyEvent& event) {
    const bool token = event.modifiers() & Qt::ControlModifier;
    const int across = event.key() == Qt::Key_Left ? -1 : event.key() == Qt::Key_Right ? 1 : 0;
    const int down = event.key() == Qt::Key_Up ? -1 : event.key() == Qt::Key_Down ? 1 : 0;
    if (event.modifiers() & (Qt::AltModifier | Qt::ShiftModifier)) return false;
    if (across != 0 || down != 0) {
        if (token)
            desk.selection.move(0, 0, across, down);
        else
            desk.selection.move(down, across, 0, 0);
        return true;
    }
    if (event.key() == Qt::Key_Space && !token) {
        desk.edits.toggle_head(desk.selection.place().layer, desk.selection.place().head);
        return true;
    }
    if (event.key() == Qt::Key_S && !token && desk.a()) {
        desk.heads.toggle(desk.selection.place().layer, desk.selection.place().head);
        return true;
    }
    if (event.key() == Qt::Key_Escape && desk.selection.second()) {
        desk.selection.set_second(std::nullopt);
        return true;
    }
    return false;
}

QString name_of(const figure::Spot& spot) {
    QStringList parts;
    if (spot.layer >= 0 && spot.head >= 0)
        parts << QStringLiteral("L%1 H%2").arg(spot.layer).arg(spot.head);
    else if (spot.layer >= 0)
        parts << QStringLiteral("layer %1").arg(spot.layer);
    if (spot.query >= 0) parts << QStringLiteral("query %1").arg(spot.query);
    if (spot.key >= 0) parts << QStringLiteral("key %1").arg(spot.key);
    return parts.join(QStringLiteral(" · "));
}

namespace {

QString short_names(const HeadSet& heads) {
    constexpr std::size_t most = 4;
    return heads.all().size() <= most ? heads.names() : QObject::tr("%1 heads").arg(heads.all().size());
}

} // namespace

void add_spot_actions(QMenu& menu, Desk& desk, const figure::Spot& spot) {
    if (!desk.a() || spot.empty()) return;
    const Place& place = desk.selection.place();
    const int layer = spot.layer >= 0 ? spot.layer : place.layer;
    const int head = spot.head >= 0 ? spot.head : place.head;
    const QString name = QStringLiteral("L%1 H%2").arg(layer).arg(head);
    EditList& edits = desk.edits;

    menu.addAction(QObject::tr("Select %1").arg(name_of(spot)), &desk,
                   [&desk, spot] { desk.choose(spot, false); });
    menu.addAction(QObject::tr("Compare with the selection\tShift+click"), &desk,
                   [&desk, spot] { desk.choose(spot, true); });
    menu.addSeparator();
    if (edits.of_head(layer, head).empty())
        menu.addAction(QObject::tr("Ablate %1").arg(name), &desk,
                       [&edits, layer, head] { edits.add(ablation(layer, head)); });
    else
        menu.addAction(edits.head_is_edited(layer, head)
                           ? QObject::tr("Switch the intervention on %1 off").arg(name)
                           : QObject::tr("Switch the intervention on %1 on").arg(name),
                       &desk, [&edits, layer, head] { edits.toggle_head(layer, head); });
    if (spot.query >= 0)
        menu.addAction(QObject::tr("Ablate %1 at position %2").arg(name).arg(spot.query), &desk,
                       [&edits, layer, head, at = spot.query] { edits.add(ablation(layer, head, at)); });
    const QString why_not = desk.why_no_patch();
    QAction* patch = menu.addAction(QObject::tr("Patch %1 from the pinned run").arg(name), &desk,
                                    [&edits, layer, head] { edits.add(patch_from_pinned(layer, head)); });
    patch->setEnabled(why_not.isEmpty());
    patch->setToolTip(why_not);
    menu.addSeparator();
    HeadSet& heads = desk.heads;
    menu.addAction(heads.contains(layer, head) ? QObject::tr("Take %1 out of the set\tS").arg(name)
                                               : QObject::tr("Add %1 to the set\tS").arg(name),
                   &desk, [&heads, layer, head] { heads.toggle(layer, head); });
    if (!heads.all().empty()) {
        menu.addAction(QObject::tr("Ablate the set: %1").arg(short_names(heads)), &desk, [&desk] {
            QStringList texts;
            for (const auto& [l, h] : desk.heads.all())
                texts << ablation(l, h);
            desk.edits.add_all(texts);
        });
        menu.addAction(QObject::tr("Empty the set"), &desk, [&heads] { heads.set_all({}); });
    }
    menu.setToolTipsVisible(true);
    menu.addSeparator();
}

void add_copy_actions(QMenu& menu, const QString& value, const std::function<QString()>& data,
                      const FigureSource& source) {
    const auto copy = [&](const QString& title, const std::function<QString()>& text, bool there) {
        menu.addAction(title, [text] { QApplication::clipboard()->setText(text()); })->setEnabled(there);
    };
    copy(
        QObject::tr("Copy value"), [value] { return value; }, !value.isEmpty());
    copy(QObject::tr("Copy data"), data, static_cast<bool>(data));
    const QString command = source.command;
    copy(
        QObject::tr("Copy as command"), [command] { return command; }, !command.isEmpty());
    copy(
        QObject::tr("Copy as Python"), [command] { return as_python(command); }, !command.isEmpty());
}

} // namespace vitrine::views
