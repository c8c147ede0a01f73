// Interventions in the whole window: what is done in the panel changes the run, and stays with the session.
#include <QDoubleSpinBox>
#include <QListWidget>
#include <QtTest>
#include <cmath>

#include "app/window/main_window.h"
#include "tests/views/window_under_test.h"

using namespace vitrine;
using namespace vitrine::window;
using vitrine::test::in_folder;
using vitrine::test::patience_ms;

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
