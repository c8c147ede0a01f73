// Interventions in the whole window: what is done in the panel changes the run, and stays with the session.
#include <QComboBox>
#include <QDoubleSpinBox>
#include <QFile>
#include <QListWidget>
#include <QPlainTextEdit>
#include <QPushButton>
#include <QtTest>
#include <cmath>

#include "app/window/main_window.h"
#include "tests/views/window_under_test.h"
#include "views/edits/direction_dialog.h"

using namespace vitrine;
using namespace vitrine::window;
using vitrine::test::in_folder;
using vitrine::test::patience_ms;

namespace {

/// A vector of alternating signs as a .npy file.
void write_direction(const QString& path, int width) {
    QByteArray header = QByteArray("{'descr': '<f4', 'fortran_order': False, 'shape': (") +
                        QByteArray::number(width) + ",), }";
    header = header.leftJustified(64 * 2 - 10 - 1) + '\n';
    QFile file(path);
    if (!file.open(QIODevice::WriteOnly)) qFatal("cannot be written");
    file.write(QByteArray("\x93NUMPY\x01\x00", 8));
    const char size[] = {static_cast<char>(header.size()), 0};
    file.write(size, 2);
    file.write(header);
    for (int i = 0; i < width; ++i) {
        const float value = i % 2 == 0 ? 1 : -1;
        file.write(reinterpret_cast<const char*>(&value), sizeof value);
    }
}

} // namespace

class TestWindowEdits : public QObject {
    Q_OBJECT

private slots:
    static void initTestCase() { vitrine::test::prepare("vitrine-test-edits"); }

    void order_and_strength_change_what_is_computed() {
        const QTemporaryDir folder;
        MainWindow window(in_folder(folder));
        window.show();
        QTRY_VERIFY_WITH_TIMEOUT(window.idle() && window.desk().a(), patience_ms);
        views::EditList& edits = window.desk().edits;
        const QString zero = "blocks.5.hook_mlp_out zero", add = "blocks.5.hook_mlp_out add 1";
        const auto loss_of = [&](const QStringList& texts) {
            bool there = false;
            [&] {
                QTRY_VERIFY_WITH_TIMEOUT(window.idle() && window.desk().b_is_edited() &&
                                             window.desk().b()->edits == texts,
                                         patience_ms);
                there = true;
            }();
            return there ? window.desk().b()->loss : NAN;
        };
        edits.set_all({{add, true}, {zero, true}});
        const double zeroed_last = loss_of({add, zero});
        auto* list = window.edits().findChild<QListWidget*>();
        list->setCurrentRow(1);
        QVERIFY(QTest::qWaitForWindowActive(&window));
        list->setFocus();
        QTest::keyClick(list, Qt::Key_Up, Qt::AltModifier);
        const double added_last = loss_of({zero, add});
        QVERIFY(added_last != zeroed_last);
        // Zeroing last is zeroing alone.
        edits.set_on(1, false);
        QCOMPARE(loss_of({zero}), zeroed_last);
        edits.set_on(1, true);
        list->setCurrentRow(1);
        window.edits().strength()->setValue(0);
        QCOMPARE(loss_of({zero, "blocks.5.hook_mlp_out add 0"}), zeroed_last);
        window.desk().undo();
        QCOMPARE(loss_of({zero, add}), added_last);
    }

    void a_recorded_run_comes_back_in_its_own_order() {
        const QTemporaryDir folder;
        MainWindow window(in_folder(folder));
        window.show();
        QTRY_VERIFY_WITH_TIMEOUT(window.idle() && window.desk().a(), patience_ms);
        window.desk().edits.set_all({{"L1H1 add 1", true}, {"L1H1 zero", true}, {"L2H2 zero", false}});
        const QStringList other{"L1H1 zero", "L1H1 add 1"};
        window.runner().show_recorded(window.desk().a()->prompt, other, 0);
        QCOMPARE(window.desk().edits.active(), other);
        QCOMPARE(window.desk().edits.all().size(), std::size_t{3}); // what is off stays in the list
    }

    void a_direction_steers_the_prompt_or_what_is_generated() {
        const QTemporaryDir folder;
        MainWindow window(in_folder(folder));
        window.show();
        QTRY_VERIFY_WITH_TIMEOUT(window.idle() && window.desk().a(), patience_ms);
        const int width = window.bench().model()->model.spec.d_model;
        const QString file = folder.filePath("some way.npy");
        write_direction(file, width);
        views::EditList& edits = window.desk().edits;
        const auto add = [&](const QString& positions, const QString& path) {
            views::SetMenu* menu = window.edits().sets();
            emit menu->aboutToShow();
            for (QAction* action : menu->actions())
                if (action->text().startsWith("Add direction")) action->trigger();
            auto* dialog = window.findChild<views::DirectionDialog*>();
            if (!dialog) qFatal("no dialog");
            dialog->set_file(path);
            for (QComboBox* box : dialog->findChildren<QComboBox*>())
                if (const int at = box->findData(positions); at >= 0) box->setCurrentIndex(at);
            dialog->findChild<QDoubleSpinBox*>()->setValue(40);
            for (QPushButton* button : dialog->findChildren<QPushButton*>())
                if (button->text() == "Add") button->click();
        };
        add("all", file);
        QTRY_VERIFY(!window.findChild<views::DirectionDialog*>());
        QCOMPARE(edits.active(), QStringList(QString("blocks.4.hook_resid_post add 40*@\"%1\"").arg(file)));
        QTRY_VERIFY_WITH_TIMEOUT(window.idle() && window.desk().b_is_edited(), patience_ms);
        QVERIFY(window.desk().b()->loss != window.desk().a()->loss);
        QCOMPARE(window.edits().strength()->value(), 40.0); // turned in the panel from here on

        // On generated tokens alone: nothing of the prompt changes, what follows it does.
        edits.clear();
        QTRY_VERIFY_WITH_TIMEOUT(window.idle() && !window.desk().b_is_edited(), patience_ms);
        QString text;
        connect(&window.runner(), &Runner::generated, this, [&](const QString& now) { text = now; });
        const auto go_on = [&] {
            text.clear();
            const QString prompt = window.prompt().editor()->toPlainText();
            window.runner().generate(6);
            [&] { QTRY_VERIFY_WITH_TIMEOUT(window.idle() && !text.isEmpty(), patience_ms); }();
            window.prompt().set_text(prompt);
            window.runner().set_text(prompt);
            [&] { QTRY_VERIFY_WITH_TIMEOUT(window.idle(), patience_ms); }();
            return text;
        };
        const QString plain = go_on();
        add("new", file);
        QVERIFY(edits.active().front().contains(" pos=new add 40*@"));
        QTRY_VERIFY_WITH_TIMEOUT(window.idle(), patience_ms);
        QVERIFY(edits.problem().isEmpty() && !window.desk().b_is_edited());
        QVERIFY(go_on() != plain);
        edits.set_on(0, false);
        QTRY_VERIFY_WITH_TIMEOUT(window.idle(), patience_ms);
        QCOMPARE(go_on(), plain);

        // A file that is none is said in the panel, and A is shown all the same.
        edits.clear();
        add("all", folder.filePath("nowhere.npy"));
        QTRY_VERIFY_WITH_TIMEOUT(window.idle() && edits.problem().contains("nowhere.npy"), patience_ms);
        QVERIFY(window.desk().a() && !window.desk().b_is_edited());
    }

    void named_sets_stay_with_the_session() {
        const QTemporaryDir folder, elsewhere;
        const std::vector<views::Edit> kept{{"L1H1 zero", true}, {"L2H2 scale 0.5", false}};
        {
            MainWindow window(in_folder(folder));
            window.show();
            QTRY_VERIFY_WITH_TIMEOUT(window.idle() && window.desk().a(), patience_ms);
            window.desk().edits.set_all(kept);
            QVERIFY(window.desk().edit_sets.save("mine", kept).isEmpty());
            window.desk().edits.clear();
            QTRY_VERIFY_WITH_TIMEOUT(window.idle(), patience_ms);
            // A step shown again brings its own interventions, not its own sets.
            window.runner().commit();
            QTRY_VERIFY_WITH_TIMEOUT(window.idle() && !window.keeper().entries().empty(), patience_ms);
            window.restore_step(window.keeper().entries().front().step);
            QTRY_VERIFY_WITH_TIMEOUT(window.idle(), patience_ms);
            QCOMPARE(window.desk().edit_sets.all().size(), std::size_t{1});
            window.close();
        }
        MainWindow again(in_folder(folder));
        again.show();
        QTRY_VERIFY_WITH_TIMEOUT(again.idle() && again.desk().a(), patience_ms);
        QVERIFY(again.desk().edits.all().empty());
        QCOMPARE(again.desk().edit_sets.all(), (std::vector<views::EditSet>{{"mine", kept}}));
        // Another session has none.
        MainWindow other(in_folder(elsewhere));
        other.show();
        QTRY_VERIFY_WITH_TIMEOUT(other.idle() && other.desk().a(), patience_ms);
        QVERIFY(other.desk().edit_sets.all().empty());
    }
};

QTEST_MAIN(TestWindowEdits)
#include "test_window_edits.moc"
