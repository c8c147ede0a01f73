// The panel of interventions: order, strength, text in place, named sets, the way back.
#include <QApplication>
#include <QClipboard>
#include <QDoubleSpinBox>
#include <QInputDialog>
#include <QLineEdit>
#include <QListWidget>
#include <QSignalSpy>
#include <QtTest>

#include "views/edits/edit_panel.h"
#include "views/edits/strength.h"

using namespace vitrine;
using namespace vitrine::views;

namespace {

// A panel with two interventions on a desk that knows no operation "halve".
struct Bed {
    Desk desk;
    EditPanel panel{desk};
    QListWidget* list = panel.findChild<QListWidget*>();

    Bed() {
        desk.set_theme(figure::make_theme(false));
        desk.edits.check = [](const QString& text) {
            return text.contains("halve") ? QString("There is no operation halve.") : QString();
        };
        panel.resize(240, 320);
        panel.show();
        if (!QTest::qWaitForWindowActive(&panel)) qFatal("keys need an active window");
        list->setFocus();
        desk.edits.set_all({{"L0H0 zero", true}, {"L0H1 pos=2 scale 0.5", true}, {"L1H0 mean", false}});
    }

    QStringList shown() const {
        QStringList out;
        for (int i = 0; i < list->count(); ++i)
            out << list->item(i)->text();
        return out;
    }
    QAction* action(const QStringList& path) const {
        QMenu* menu = panel_menu();
        QAction* found = nullptr;
        for (const QString& step : path) {
            if (found) menu = found->menu();
            found = nullptr;
            for (QAction* one : menu->actions())
                if (one->text().startsWith(step)) found = one;
            if (!found) qFatal("no action %s", qPrintable(step));
        }
        return found;
    }
    QMenu* panel_menu() const {
        auto* menu = const_cast<EditPanel&>(panel).sets();
        emit menu->aboutToShow();
        return menu;
    }
    void answer(const QString& name) {
        auto* dialog = panel.findChild<QInputDialog*>();
        QVERIFY(dialog);
        dialog->setTextValue(name);
        dialog->accept();
        QTRY_VERIFY(!panel.findChild<QInputDialog*>());
    }
};

} // namespace

class TestEditPanel : public QObject {
    Q_OBJECT

private slots:
    void strengths_are_found_where_there_are_some_data() {
        QTest::addColumn<QString>("text");
        QTest::addColumn<QString>("op");
        QTest::addColumn<QString>("at_two");
        const auto row = [](const char* text, const char* op, const char* at_two) {
            QTest::newRow(text) << text << op << at_two;
        };
        row("L3H5 scale 0.5", "scale", "L3H5 scale 2");
        row("blocks.2.hook_mlp_out pos=-1,3:5 channel=7 scale -1e-3", "scale",
            "blocks.2.hook_mlp_out pos=-1,3:5 channel=7 scale 2");
        row("blocks.1.hook_resid_post add 4*@way.npy", "add", "blocks.1.hook_resid_post add 2*@way.npy");
        row("blocks.1.hook_resid_post add @way 0.5.npy", "add",
            "blocks.1.hook_resid_post add 2*@way 0.5.npy");
        row("blocks.1.hook_resid_post add 1", "add", "blocks.1.hook_resid_post add 2");
        row("blocks.1.hook_resid_post pos=new cap 0.25 @way.npy", "cap",
            "blocks.1.hook_resid_post pos=new cap 2 @way.npy");
        row("blocks.*.attn.hook_pattern calibrate 0.4 0.1", "calibrate",
            "blocks.*.attn.hook_pattern calibrate 2 0.1");
        row("blocks.1.hook_resid_post set 3", "set", "blocks.1.hook_resid_post set 2");
        row("blocks.1.hook_resid_post set @whole.npy", "", "blocks.1.hook_resid_post set @whole.npy");
        row("L3H5 zero", "", "L3H5 zero");
        row("L3H5 from row=1", "", "L3H5 from row=1");
        row("blocks.1.hook_resid_post project-out @scale 3.npy", "",
            "blocks.1.hook_resid_post project-out @scale 3.npy");
        row("attention window=64 sinks=4", "", "attention window=64 sinks=4");
    }

    void strengths_are_found_where_there_are_some() {
        QFETCH(QString, text);
        QFETCH(QString, op);
        QFETCH(QString, at_two);
        const auto strength = strength_of(text);
        QCOMPARE(strength ? strength->op : QString(), op);
        QCOMPARE(with_strength(text, 2), at_two);
    }

    void the_order_is_changed_by_keys_and_by_dragging() {
        Bed bed;
        bed.list->setCurrentRow(2);
        QTest::keyClick(bed.list, Qt::Key_Up, Qt::AltModifier);
        const QStringList swapped{"L0H0 zero", "L1H0 mean", "L0H1 pos=2 scale 0.5"};
        QCOMPARE(bed.shown(), swapped);
        QCOMPARE(bed.list->currentRow(), 1); // the same one, to go on with
        QVERIFY(!bed.desk.edits.all()[1].on);
        QTest::keyClick(bed.list, Qt::Key_Up, Qt::AltModifier);
        QTest::keyClick(bed.list, Qt::Key_Up, Qt::AltModifier); // the first stays the first
        QCOMPARE(bed.shown().front(), QString("L1H0 mean"));
        QCOMPARE(bed.list->currentRow(), 0);
        bed.desk.undo();
        QCOMPARE(bed.shown(), swapped);
        // What a drop does to the list.
        bed.list->model()->moveRow({}, 0, {}, 3);
        QTRY_COMPARE(bed.desk.edits.all().back().text, QString("L0H0 zero"));
        QCOMPARE(bed.shown(), QStringList({"L1H0 mean", "L0H1 pos=2 scale 0.5", "L0H0 zero"}));
        QCOMPARE(bed.desk.edits.active(), QStringList({"L0H1 pos=2 scale 0.5", "L0H0 zero"}));
        bed.desk.undo();
        QCOMPARE(bed.shown(), swapped);
        bed.desk.redo();
        QCOMPARE(bed.shown().back(), QString("L0H0 zero"));
    }

    void the_strength_of_the_chosen_one_is_turned() {
        Bed bed;
        bed.list->setCurrentRow(0);
        QVERIFY(!bed.panel.strength()->isVisible()); // zero has none
        bed.list->setCurrentRow(1);
        QVERIFY(bed.panel.strength()->isVisible());
        QCOMPARE(bed.panel.strength()->value(), 0.5);
        QSignalSpy changed(&bed.desk.edits, &EditList::changed);
        for (int i = 0; i < 3; ++i)
            QTest::keyClick(bed.panel.strength(), Qt::Key_Up);
        QCOMPARE(changed.count(), 3); // every view answers each
        QCOMPARE(bed.shown()[1], QString("L0H1 pos=2 scale 0.8"));
        QCOMPARE(bed.list->currentRow(), 1);
        bed.desk.undo(); // one turn
        QCOMPARE(bed.shown()[1], QString("L0H1 pos=2 scale 0.5"));
        QCOMPARE(bed.panel.strength()->value(), 0.5);
        bed.desk.redo();
        QCOMPARE(bed.panel.strength()->value(), 0.8);
        // Turned again after something else: a change of its own.
        QTest::keyClick(bed.panel.strength(), Qt::Key_Up);
        bed.desk.edits.set_on(0, false);
        QTest::keyClick(bed.panel.strength(), Qt::Key_Up);
        bed.desk.undo();
        QCOMPARE(bed.shown()[1], QString("L0H1 pos=2 scale 0.9"));
        QVERIFY(!bed.desk.edits.all()[0].on);
    }

    void a_text_is_written_anew_in_place() {
        Bed bed;
        QSignalSpy refused(&bed.panel, &EditPanel::refused);
        const auto write = [&](int row, const QString& text) {
            bed.list->setCurrentRow(row);
            bed.list->setFocus();
            QTest::keyClick(bed.list, Qt::Key_F2);
            auto* editor = bed.list->findChild<QLineEdit*>();
            QVERIFY(editor);
            editor->setText(text);
            QTest::keyClick(editor, Qt::Key_Return);
            QTRY_VERIFY(!bed.list->findChild<QLineEdit*>());
        };
        write(1, "L0H1  pos=3:5 scale 0.5 ");
        QCOMPARE(bed.desk.edits.all()[1].text, QString("L0H1 pos=3:5 scale 0.5"));
        QCOMPARE(bed.shown()[1], QString("L0H1 pos=3:5 scale 0.5"));
        write(1, "L0H1 halve");
        QCOMPARE(bed.panel.said(), QString("There is no operation halve."));
        QCOMPARE(refused.count(), 1);
        QCOMPARE(bed.shown()[1], QString("L0H1 pos=3:5 scale 0.5")); // the old one is kept
        write(1, "L0H0 zero");
        QVERIFY2(bed.panel.said().contains("in the list already"), qPrintable(bed.panel.said()));
        write(1, "");
        QVERIFY(bed.panel.said().contains("needs words"));
        QCOMPARE(bed.desk.edits.all().size(), std::size_t{3});
        write(1, "L0H1 pos=4 zero");
        QVERIFY(bed.panel.said().isEmpty());
        bed.desk.undo();
        bed.desk.undo();
        QCOMPARE(bed.shown()[1], QString("L0H1 pos=2 scale 0.5"));
        // A switched-off one stays off.
        write(2, "L1H1 mean");
        QVERIFY(!bed.desk.edits.all()[2].on);
        QCOMPARE(bed.desk.edits.all()[2].text, QString("L1H1 mean"));
    }

    void the_box_of_a_line_switches_it() {
        Bed bed;
        bed.list->item(1)->setCheckState(Qt::Unchecked);
        QCOMPARE(bed.desk.edits.active(), QStringList("L0H0 zero"));
        bed.desk.undo();
        QCOMPARE(bed.list->item(1)->checkState(), Qt::Checked);
    }

    void sets_are_saved_loaded_renamed_and_deleted() {
        Bed bed;
        const auto whole = bed.desk.edits.all();
        QVERIFY(!bed.action({"Load"})->isEnabled());
        bed.action({"Save"})->trigger();
        bed.answer("  names &  sinks ");
        QCOMPARE(bed.desk.edit_sets.all().size(), std::size_t{1});
        QCOMPARE(bed.desk.edit_sets.all().front(), (EditSet{"names & sinks", whole}));
        bed.desk.edits.remove(0);
        bed.action({"Save"})->trigger();
        bed.answer("less");
        bed.action({"Remove all"})->trigger();
        QVERIFY(bed.desk.edits.all().empty());
        bed.action({"Load", "names"})->trigger();
        QCOMPARE(bed.desk.edits.all(), whole);
        bed.desk.undo(); // loading is undone as any change
        QVERIFY(bed.desk.edits.all().empty());
        bed.desk.redo();
        // A name that is taken is refused with a sentence; another one is given.
        bed.action({"Rename", "less"})->trigger();
        bed.answer("names & sinks");
        QVERIFY2(bed.panel.said().contains("already"), qPrintable(bed.panel.said()));
        bed.action({"Rename", "less"})->trigger();
        bed.answer("fewer");
        QVERIFY(bed.desk.edit_sets.find("fewer") && !bed.desk.edit_sets.find("less"));
        bed.action({"Delete", "names"})->trigger();
        QVERIFY(!bed.desk.edit_sets.find("names & sinks"));
        bed.desk.undo();
        QCOMPARE(bed.desk.edit_sets.find("names & sinks")->edits, whole);
        bed.desk.undo();
        QVERIFY(bed.desk.edit_sets.find("less"));
        QCOMPARE(bed.desk.edit_sets.name_of(whole), QString("names & sinks"));
    }

    void the_list_is_copied_for_the_command_line() {
        Bed bed;
        bed.desk.edits.add("attention window=5 sinks=2");
        bed.action({"Copy as"})->trigger();
        QCOMPARE(QApplication::clipboard()->text(),
                 QString("--edit 'L0H0 zero' --edit 'L0H1 pos=2 scale 0.5' --attention 'window=5 sinks=2'"));
        bed.desk.edits.clear();
        QVERIFY(!bed.action({"Copy as"})->isEnabled());
    }
};

QTEST_MAIN(TestEditPanel)
#include "test_edit_panel.moc"
