// The Entropy page on the default model: what is generated becomes lanes, branches make a tree that stays.
#include <QLabel>
#include <QListWidget>
#include <QPushButton>
#include <QSignalSpy>
#include <QTemporaryDir>
#include <QTreeWidget>
#include <QtTest>

#include "app/window/main_window.h"
#include "tests/views/window_under_test.h"

using namespace vitrine;
using namespace vitrine::window;
using vitrine::test::in_folder;
using vitrine::test::patience_ms;

class TestWindowLanes : public QObject {
    Q_OBJECT

private slots:
    void initTestCase() { test::prepare("vitrine-test-lanes"); }

    void a_generation_becomes_lanes_and_branches_a_tree() {
        const QTemporaryDir folder;
        std::vector<std::int64_t> tree, shown;
        {
            MainWindow window(in_folder(folder));
            window.resize(1366, 768);
            window.show();
            QTRY_VERIFY_WITH_TIMEOUT(window.idle() && window.desk().a(), patience_ms);
            LanesFeed& lanes = window.lanes();
            window.show_page("Entropy");
            QVERIFY(!lanes.lanes()); // words and a button, since nothing was generated
            QSignalSpy drew(&window.runner(), &Runner::drew);
            window.runner().generate(6);
            QTRY_VERIFY_WITH_TIMEOUT(window.idle() && lanes.lanes() && lanes.lanes()->lanes.size() >= 6,
                                     patience_ms);
            QCOMPARE(drew.count(), 6);
            QCOMPARE(lanes.generations().all().size(), std::size_t{1});
            const Generation whole = lanes.generations().all().begin()->second;
            QVERIFY(whole.step > 0 && whole.parent == 0);
            QVERIFY(lanes.lanes()->runs.front().ids == std::vector<int>(whole.ids.begin(), whole.ids.end()));
            // The entropies are those that the generation had.
            for (int step = 0; step < drew.count(); ++step) {
                const auto drawn = drew[step][0].value<run::GenerateStep>();
                const double told =
                    lanes.lanes()->lanes[0].lines[0].values[0][static_cast<std::size_t>(step)];
                QVERIFY(std::abs(told - drawn.entropy) < 1e-5);
            }
            QVERIFY(lanes.lanes()->linked); // the text went into the prompt
            lanes.select_step(2);
            QCOMPARE(window.desk().selection.place().query,
                     static_cast<int>(whole.spec.prompt.rows.front().ids.size()) + 1);
            QCOMPARE(lanes.alternatives().size(), std::size_t{5});
            QCOMPARE(lanes.alternatives()[0].id, whole.ids[2]); // greedy
            const std::int32_t other = lanes.alternatives()[1].id;
            lanes.branch_with(other);
            QTRY_VERIFY_WITH_TIMEOUT(window.idle() && lanes.generations().all().size() == 2, patience_ms);
            const Generation branch = lanes.generations().all().rbegin()->second;
            QCOMPARE(branch.parent, whole.step);
            QCOMPARE(branch.left_at, 2);
            QCOMPARE(branch.ids[1], whole.ids[1]);
            QCOMPARE(branch.ids[2], other);
            QVERIFY(lanes.shown() == std::vector<std::int64_t>{branch.step});
            QTRY_VERIFY_WITH_TIMEOUT(lanes.lanes() && lanes.lanes()->runs.front().ids[2] == other,
                                     patience_ms);
            // The same choice again is the same branch.
            lanes.show_generations({whole.step});
            QTRY_VERIFY_WITH_TIMEOUT(window.idle(), patience_ms);
            lanes.select_step(2);
            lanes.branch_with(other);
            QTRY_VERIFY_WITH_TIMEOUT(window.idle(), patience_ms);
            QCOMPARE(lanes.generations().all().size(), std::size_t{2});
            // Both over each other, and their difference.
            lanes.show_generations({whole.step, branch.step});
            QTRY_VERIFY_WITH_TIMEOUT(window.idle() && lanes.lanes() && lanes.lanes()->runs.size() == 2,
                                     patience_ms);
            QCOMPARE(lanes.lanes()->parting, 2);
            QVERIFY(lanes.lanes()->said.contains("before step 2"));
            lanes.page().set_difference(true);
            QCOMPARE(lanes.lanes()->lanes[0].lines[0].values.size(), std::size_t{1});
            QVERIFY(std::abs(lanes.lanes()->lanes[0].lines[0].values[0][1]) < 1e-6); // still the same text
            lanes.page().set_difference(false);
            const auto* widget = lanes.page().findChild<QTreeWidget*>();
            QCOMPARE(widget->topLevelItemCount(), 1);
            QCOMPARE(widget->topLevelItem(0)->childCount(), 1);
            shown = lanes.shown();
            window.close();
        }
        MainWindow again(in_folder(folder));
        again.show();
        QTRY_VERIFY_WITH_TIMEOUT(again.idle() && again.desk().a(), patience_ms);
        QCOMPARE(again.lanes().generations().all().size(), std::size_t{2});
        QCOMPARE(again.lanes().generations().all().rbegin()->second.left_at, 2);
        QTRY_VERIFY_WITH_TIMEOUT(again.lanes().shown() == shown, patience_ms);
    }

    void a_hand_branches_and_overlays() {
        const QTemporaryDir folder;
        std::vector<std::int64_t> shown;
        {
            MainWindow window(in_folder(folder));
            window.resize(1366, 768);
            window.show();
            QTRY_VERIFY_WITH_TIMEOUT(window.idle() && window.desk().a(), patience_ms);
            LanesFeed& lanes = window.lanes();
            views::LanesPage& page = lanes.page();
            views::FigureCanvas* canvas = page.canvas();
            window.show_page("Entropy");
            QTRY_VERIFY_WITH_TIMEOUT(window.idle() && page.isVisible(), patience_ms);
            const auto row_of = [&](std::int64_t step) {
                page.tree().scrollToItem(page.tree().item_of(step));
                return page.tree().visualItemRect(page.tree().item_of(step)).center();
            };
            // A click on a step, a click on the second likeliest token there: a branch.
            const auto branch_by_hand = [&](int step) {
                QPoint at(0, canvas->height() / 2);
                while (lanes.lanes()->step_at(at, canvas->frame(), window.desk().theme()) != step &&
                       at.x() < canvas->width())
                    at.rx() += 3;
                QTest::mouseClick(canvas, Qt::LeftButton, {}, at);
                QListWidget* list = page.alternatives().list();
                if (lanes.step() != step || list->count() < 2) return std::int32_t{-1};
                QListWidgetItem* item =
                    list->item(lanes.alternatives()[0].id == lanes.lanes()->runs[0].ids[step] ? 1 : 0);
                list->scrollToItem(item);
                QTest::mouseClick(list->viewport(), Qt::LeftButton, {}, list->visualItemRect(item).center());
                return lanes.alternatives()[static_cast<std::size_t>(list->row(item))].id;
            };
            std::vector<std::int64_t> wholes, branches;
            for (const char* text : {"The captain looked at", "When Mary and John went to"}) {
                window.prompt().set_text(text);
                window.runner().set_text(text);
                QTRY_VERIFY_WITH_TIMEOUT(window.idle(), patience_ms);
                QPushButton* generate = nullptr;
                for (QPushButton* button : page.findChildren<QPushButton*>())
                    if (button->isVisible() && button->text() == "Generate") generate = button;
                QVERIFY(generate);
                const std::size_t before = lanes.generations().all().size();
                QTest::mouseClick(generate, Qt::LeftButton);
                QTRY_VERIFY_WITH_TIMEOUT(window.idle() && lanes.generations().all().size() == before + 1 &&
                                             lanes.lanes() && lanes.lanes()->lanes.size() >= 6,
                                         patience_ms);
                wholes.push_back(lanes.shown().front());
                const std::int32_t other = branch_by_hand(3);
                QVERIFY(other >= 0);
                QTRY_VERIFY_WITH_TIMEOUT(window.idle() && lanes.generations().all().size() == before + 2,
                                         patience_ms);
                branches.push_back(lanes.generations().all().rbegin()->first);
                const Generation* branch = lanes.generations().find(branches.back());
                QCOMPARE(branch->parent, wholes.back());
                QCOMPARE(branch->ids[3], other);
                QTreeWidgetItem* item = page.tree().item_of(branches.back());
                QVERIFY(item && item->parent() == page.tree().item_of(wholes.back()));
                QTRY_COMPARE_WITH_TIMEOUT(lanes.shown(), std::vector<std::int64_t>{branches.back()},
                                          patience_ms);
                // The token that stands there is no choice.
                const auto standing = [&] {
                    const QListWidget* list = page.alternatives().list();
                    for (int row = 0; row < list->count(); ++row)
                        if (!(list->item(row)->flags() & Qt::ItemIsEnabled))
                            return lanes.alternatives()[static_cast<std::size_t>(row)].id;
                    return std::int32_t{-1};
                };
                QTRY_COMPARE_WITH_TIMEOUT(standing(), other, patience_ms);
            }
            // Of two texts the branch that was chosen in each lies over the other, with all its lines.
            QTest::mouseClick(page.tree().viewport(), Qt::LeftButton, {}, row_of(branches[0]));
            QTRY_COMPARE_WITH_TIMEOUT(lanes.shown(), std::vector<std::int64_t>{branches[0]}, patience_ms);
            QTest::mouseClick(page.tree().viewport(), Qt::LeftButton, Qt::ControlModifier,
                              row_of(branches[1]));
            shown = branches;
            QTRY_COMPARE_WITH_TIMEOUT(lanes.shown(), shown, patience_ms);
            QTRY_VERIFY_WITH_TIMEOUT(window.idle() && lanes.lanes() && lanes.lanes()->runs.size() == 2,
                                     patience_ms);
            for (std::size_t run = 0; run < 2; ++run) {
                const auto& ids = lanes.generations().find(branches[run])->ids;
                QVERIFY(lanes.lanes()->runs[run].ids == std::vector<int>(ids.begin(), ids.end()));
            }
            QCOMPARE(lanes.lanes()->lanes[0].lines.size(), std::size_t{2}); // entropy, and its rolling mean
            window.close();
        }
        MainWindow again(in_folder(folder));
        again.resize(1920, 1080); // there the tree stands beside the lanes
        again.show();
        QTRY_VERIFY_WITH_TIMEOUT(again.idle() && again.desk().a(), patience_ms);
        QTRY_COMPARE_WITH_TIMEOUT(again.lanes().shown(), shown, patience_ms);
        QTRY_VERIFY_WITH_TIMEOUT(again.idle() && again.lanes().lanes(), patience_ms);
        QCOMPARE(again.lanes().lanes()->runs.size(), std::size_t{2});
        views::LanesPage& page = again.lanes().page();
        QCOMPARE(page.tree().selected().size(), std::size_t{2});
        QVERIFY(page.tree().mapTo(&page, QPoint()).x() >=
                page.canvas()->mapTo(&page, QPoint()).x() + page.canvas()->width());
    }

    void what_cannot_be_shown_is_said() {
        const QTemporaryDir folder;
        MainWindow window(in_folder(folder));
        window.show();
        QTRY_VERIFY_WITH_TIMEOUT(window.idle() && window.desk().a(), patience_ms);
        LanesFeed& lanes = window.lanes();
        window.show_page("Entropy");
        window.runner().generate(2);
        QTRY_VERIFY_WITH_TIMEOUT(window.idle() && lanes.lanes(), patience_ms);
        const auto words = [&] {
            QStringList out;
            for (const QLabel* label : lanes.page().findChildren<QLabel*>())
                if (label->isVisible()) out << label->text();
            return out.join(QLatin1Char(' '));
        };
        lanes.restore({{"values", {{"heads", "L9H9"}}}});
        QTRY_VERIFY2_WITH_TIMEOUT(words().contains("There is no head L9H9"), qPrintable(words()),
                                  patience_ms);
        QVERIFY(!lanes.lanes());
        lanes.restore({{"values", {{"temperature", "hot"}}}});
        QVERIFY2(words().contains("temperature"), qPrintable(words()));
        lanes.restore({{"values", Json::object()}});
        QTRY_VERIFY_WITH_TIMEOUT(window.idle() && lanes.lanes(), patience_ms);
    }

    void the_lens_follows_pinned_tokens() {
        const QTemporaryDir folder;
        std::int32_t id = -1;
        {
            MainWindow window(in_folder(folder));
            window.resize(1366, 768);
            window.show();
            QTRY_VERIFY_WITH_TIMEOUT(window.idle() && window.desk().a(), patience_ms);
            window.show_page("Lens");
            AnalysisPage* followed = window.analysis_page("Lens/1");
            const auto tokens = [&] {
                std::vector<int> out;
                if (const auto* record = followed->shown())
                    for (const auto& result : record->results)
                        if (result.name == "token")
                            for (const Json& entry : result.json)
                                out.push_back(entry.value("id", -1));
                return out;
            };
            // Nothing pinned: those that lead in some layer.
            QTRY_VERIFY_WITH_TIMEOUT(window.idle() && tokens().size() > 1, patience_ms);
            id = tokens().front();
            window.pins().toggle(id);
            QTRY_VERIFY_WITH_TIMEOUT(window.idle() && tokens() == std::vector<int>{id}, patience_ms);
            window.desk().selection.set_query(2);
            QTRY_VERIFY_WITH_TIMEOUT(
                window.idle() && followed->shown()->parameters.value("position", -1) == 2, patience_ms);
            window.close();
        }
        MainWindow again(in_folder(folder));
        again.show();
        QTRY_VERIFY_WITH_TIMEOUT(again.idle() && again.desk().a(), patience_ms);
        QCOMPARE(again.pins().pinned(), std::vector<std::int32_t>{id});
        again.pins().toggle(id);
        QVERIFY(again.pins().pinned().empty());
    }
};

QTEST_MAIN(TestWindowLanes)
#include "test_window_lanes.moc"
