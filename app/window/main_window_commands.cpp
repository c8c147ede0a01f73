// The commands: their keys, the menu, and what Ctrl+K finds.
#include <QAction>
#include <QDockWidget>
#include <QLineEdit>
#include <QMenu>
#include <QRegularExpression>
#include <QTabWidget>

#include "app/window/main_window.h"

namespace vitrine::window {

QAction* MainWindow::command(const QString& title, const QKeySequence& keys, std::function<void()> act) {
    auto* action = new QAction(title, this);
    action->setShortcut(keys);
    connect(action, &QAction::triggered, this, [act = std::move(act)] { act(); });
    addAction(action);
    commands_.push_back(action);
    return action;
}

void MainWindow::build_actions() {
    QMenu* menu = top_->menu();
    const auto add = [this, menu](const QString& title, const QKeySequence& keys, std::function<void()> act) {
        menu->addAction(command(title, keys, std::move(act)));
    };
    add(tr("Search or command…"), QKeySequence(Qt::CTRL | Qt::Key_K), [this] { open_palette(); });
    QMenu* examples = menu->addMenu(tr("Examples"));
    for (const views::Door& door : doors_bar_->doors())
        examples->addAction(
            command(tr("Example: %1").arg(door.title), {}, [this, id = door.id] { doors_->open(id); }));
    add(tr("Open a session…"), QKeySequence(Qt::CTRL | Qt::SHIFT | Qt::Key_O), [this] { choose_session(); });
    menu->addSeparator();
    add(tr("Write in the prompt"), QKeySequence(Qt::CTRL | Qt::Key_L), [this] {
        prompt_->editor()->setFocus();
        prompt_->editor()->selectAll();
    });
    add(tr("Undo (selection, interventions)"), QKeySequence::Undo, [this] { desk_.undo(); });
    add(tr("Redo"), QKeySequence::Redo, [this] { desk_.redo(); });
    add(tr("Selection back"), QKeySequence(Qt::ALT | Qt::Key_Left), [this] { desk_.selection.go_back(); });
    add(tr("Selection forward"), QKeySequence(Qt::ALT | Qt::Key_Right),
        [this] { desk_.selection.go_forward(); });
    menu->addSeparator();
    add(tr("Pin this run as B"), QKeySequence(Qt::CTRL | Qt::Key_B), [this] { pin_current_as_b(); });
    add(tr("New intervention…"), QKeySequence(Qt::CTRL | Qt::Key_I), [this] {
        edits_dock_->show();
        edits_->field()->setFocus();
    });
    add(tr("Remove all interventions"), {}, [this] { desk_.edits.clear(); });
    command(tr("Add the selected head to the circuit, or take it out"), QKeySequence(Qt::Key_C), [this] {
        if (!desk_.a()) return;
        const views::Place& place = desk_.selection.place();
        const QString member = QStringLiteral("L%1H%2").arg(place.layer).arg(place.head);
        cause_->toggle_in_circuit(member);
        status_->say(tr("Circuit of the page Cause: %1").arg(cause_->circuit().join(QStringLiteral(", "))));
    });
    const std::pair<QString, views::Side> sides[] = {{tr("Show A"), views::Side::a},
                                                     {tr("Show B"), views::Side::b},
                                                     {tr("Show A − B"), views::Side::difference}};
    for (const auto& [title, side] : sides)
        command(title, {}, [this, side = side] { desk_.set_side(side); });
    menu->addSeparator();
    add(tr("Show or hide the grid"), QKeySequence(Qt::Key_G),
        [this] { attention_->show_grid(!attention_->grid_shown()); });
    add(tr("Show or hide the side panels"), QKeySequence(Qt::Key_F9), [this] {
        const bool show =
            !runs_dock_->isVisible() || !inspector_dock_->isVisible() || !edits_dock_->isVisible();
        for (QDockWidget* dock : {runs_dock_, edits_dock_, inspector_dock_})
            dock->setVisible(show);
    });
    add(tr("Tear off this page"), QKeySequence(Qt::CTRL | Qt::Key_T), [this] { tear_off(); });
    add(tr("Export figure or numbers…"), QKeySequence(Qt::CTRL | Qt::Key_E),
        [this] { export_canvas(canvas()); });
    menu->addSeparator();
    add(tr("Settings…"), QKeySequence(Qt::CTRL | Qt::Key_Comma), [this] { show_settings(); });
    add(tr("Help on this page"), QKeySequence(Qt::Key_F1), [this] { explain({}); });
    add(tr("Quit"), QKeySequence(Qt::CTRL | Qt::Key_Q), [this] { close(); });
    for (int i = 0; i < tabs_->count(); ++i)
        command(tr("Page %1").arg(tabs_->tabText(i)), QKeySequence(QStringLiteral("Ctrl+%1").arg(i + 1)),
                [this, name = tabs_->tabText(i)] { show_page(name); });
}

std::vector<Command> MainWindow::found(const QString& text) {
    std::vector<Command> out;
    static const QRegularExpression head_name(QStringLiteral("^[Ll](\\d+)\\s*\\.?\\s*[Hh](\\d+)$"));
    if (const auto match = head_name.match(text); match.hasMatch() && desk_.shown()) {
        const int layer = match.captured(1).toInt(), head = match.captured(2).toInt();
        if (layer < desk_.shown()->layers && head < desk_.shown()->heads) {
            out.push_back({text, tr("head"), [this, layer, head] {
                               desk_.selection.set_head(layer, head);
                               show_page(tr("Attention"));
                           }});
            out.push_back({text + tr(": ablate it, or switch its intervention"), tr("intervention"),
                           [this, layer, head] {
                               desk_.selection.set_head(layer, head);
                               desk_.edits.toggle_head(layer, head);
                           }});
        }
    }
    if (text.contains(QLatin1Char(' ')) && bench_.model() && desk_.edits.check(text).isEmpty())
        out.push_back({text, tr("new intervention"), [this, text] { desk_.edits.add(text); }});
    for (QAction* action : commands_)
        out.push_back({action->text(), action->shortcut().toString(QKeySequence::NativeText),
                       [action] { action->trigger(); }});
    for (const views::EditSet& set : desk_.edit_sets.all())
        out.push_back({tr("Load the set %1").arg(set.name), tr("interventions"),
                       [this, edits = set.edits] { desk_.edits.set_all(edits); }});
    for (const auto& [name, words] : sinks_->changes())
        out.push_back({words, tr("intervention"), [this, name = name] { sinks_->switch_change(name); }});
    out.push_back({tr("Emergence: heads over a training"), tr("page Model"), [this] { show_training(); }});
    for (const Json& manifest : manifests_) {
        const QString id = QString::fromStdString(manifest.at("id").get<std::string>());
        out.push_back({QString::fromStdString(manifest.value("title", id.toStdString())),
                       tr("analysis %1").arg(id), [this, id] {
                           show_page(tr("Analyses"));
                           if (AnalysisPage* page = analysis_page(tr("Analyses"))) page->choose(id);
                       }});
    }
    if (text.isEmpty()) return out;
    if (const views::RunPtr& run = desk_.shown())
        for (int at = 0; at < run->size(); ++at)
            out.push_back({run->tokens[static_cast<std::size_t>(at)].shown,
                           tr("token at position %1").arg(at),
                           [this, at] { desk_.selection.set_query(at); }});
    for (const views::RunEntry& entry : keeper_->entries())
        out.push_back({entry.prompt, tr("step of %1").arg(entry.when),
                       [this, step = entry.step] { restore_step(step); }});
    return out;
}

void MainWindow::open_palette(const QString& text) {
    palette_->open_with([this](const QString& wanted) { return found(wanted); }, text);
}

} // namespace vitrine::window
