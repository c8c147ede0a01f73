// Every view obeys the same hand: what a click, a key and the right button do to the desk.
#include <QClipboard>
#include <QLineEdit>
#include <QMenu>
#include <QSignalSpy>
#include <QWheelEvent>
#include <QtTest>

#include "tests/views/sample_run.h"
#include "views/attention/attention_page.h"
#include "views/edits/edit_panel.h"
#include "views/figure/attention_grid.h"
#include "views/figure/heatmap.h"
#include "views/inspector/inspector.h"
#include "views/shared/token_strip.h"

using namespace vitrine;
using namespace vitrine::views;

namespace {

std::vector<std::string> words(int count) {
    std::vector<std::string> out;
    for (int i = 0; i < count; ++i)
        out.push_back(" w" + std::to_string(i));
    return out;
}

// A map of layers × heads whose cell (layer, head) holds 10 · layer + head.
std::shared_ptr<figure::Heatmap> map_of_heads(int layers, int heads) {
    auto map = std::make_shared<figure::Heatmap>();
    std::vector<float> values;
    for (int layer = 0; layer < layers; ++layer)
        for (int head = 0; head < heads; ++head)
            values.push_back(static_cast<float>(10 * layer + head));
    map->values = figure::make_matrix(layers, heads, std::move(values));
    map->row_title = "layer";
    map->col_title = "head";
    map->style.scale.max = 100;
    return map;
}

QAction* action_of(const QMenu& menu, const QString& beginning) {
    for (QAction* action : menu.actions())
        if (action->text().startsWith(beginning)) return action;
    return nullptr;
}

// A canvas with that map on a desk with a run of the same model.
struct Bed {
    Desk desk;
    FigureCanvas canvas{desk};
    std::shared_ptr<figure::Heatmap> map = map_of_heads(4, 6);

    Bed() {
        desk.set_theme(figure::make_theme(false));
        desk.set_a(tests::sample_run(words(9), 4, 6));
        desk.selection.set({0, 0, 8, 0});
        canvas.resize(600, 420);
        FigureSource source;
        source.name = "map";
        source.topic = "entropy";
        source.command = "vitrine-cli analyze head-entropy default --ids 1";
        canvas.show_picture(map, source);
        canvas.show();
    }
    QPoint cell(int layer, int head) const {
        const auto laid = map->layout(canvas.frame(), desk.theme());
        return QPointF(laid.cells.left() + (head + 0.5) * laid.cell_width,
                       laid.cells.top() + (layer + 0.5) * laid.cell_height)
            .toPoint();
    }
};

} // namespace

class TestGestures : public QObject {
    Q_OBJECT

private slots:
    void a_click_selects_what_is_under_it() {
        Bed bed;
        QTest::mouseClick(&bed.canvas, Qt::LeftButton, {}, bed.cell(2, 5));
        QCOMPARE(bed.desk.selection.place(), (Place{2, 5, 8, 0}));
        QCOMPARE(bed.map->selected_row, std::optional(2));
        QCOMPARE(bed.map->selected_col, std::optional(5));
    }

    void shift_click_is_the_place_to_compare_with() {
        Bed bed;
        QTest::mouseClick(&bed.canvas, Qt::LeftButton, Qt::ShiftModifier, bed.cell(3, 1));
        QCOMPARE(bed.desk.selection.place(), (Place{0, 0, 8, 0}));
        QVERIFY(bed.desk.selection.second().has_value());
        QCOMPARE(*bed.desk.selection.second(), (Place{3, 1, 8, 0}));
        QTest::keyClick(&bed.canvas, Qt::Key_Escape);
        QVERIFY(!bed.desk.selection.second());
    }

    void double_click_asks_for_the_detail() {
        Bed bed;
        QSignalSpy asked(&bed.desk, &Desk::detail_wanted);
        QTest::mouseDClick(&bed.canvas, Qt::LeftButton, {}, bed.cell(1, 4));
        QCOMPARE(asked.count(), 1);
        QCOMPARE(asked.front().front().value<figure::Spot>(), (figure::Spot{1, 4, -1, -1}));
    }

    void hovering_says_value_and_coordinates() {
        Bed bed;
        QSignalSpy said(&bed.desk, &Desk::pointed);
        const QPoint at = bed.cell(3, 2);
        QMouseEvent move(QEvent::MouseMove, at, bed.canvas.mapToGlobal(at), Qt::NoButton, {}, {});
        QApplication::sendEvent(&bed.canvas, &move);
        QVERIFY(said.count() > 0);
        const QString line = said.last().front().toString();
        QVERIFY2(line.contains("layer 3") && line.contains("head 2") && line.contains("32"),
                 qPrintable(line));
    }

    void keys_move_and_switch() {
        Bed bed;
        QTest::keyClick(&bed.canvas, Qt::Key_Down);
        QTest::keyClick(&bed.canvas, Qt::Key_Right);
        QCOMPARE(bed.desk.selection.place(), (Place{1, 1, 8, 0}));
        QTest::keyClick(&bed.canvas, Qt::Key_Left, Qt::ControlModifier);
        QTest::keyClick(&bed.canvas, Qt::Key_Down, Qt::ControlModifier);
        QCOMPARE(bed.desk.selection.place(), (Place{1, 1, 7, 1}));
        QTest::keyClick(&bed.canvas, Qt::Key_Space);
        QCOMPARE(bed.desk.edits.active(), QStringList("L1H1 zero"));
        QTest::keyClick(&bed.canvas, Qt::Key_Space);
        QVERIFY(bed.desk.edits.active().isEmpty());
        QCOMPARE(bed.desk.edits.all().size(), std::size_t{1}); // switched off, not forgotten
        QTest::keyClick(&bed.canvas, Qt::Key_Space);
        QCOMPARE(bed.desk.edits.active(), QStringList("L1H1 zero"));
        QSignalSpy exported(&bed.desk, &Desk::export_wanted), explained(&bed.desk, &Desk::explain_wanted);
        QTest::keyClick(&bed.canvas, Qt::Key_E);
        QTest::keyClick(&bed.canvas, Qt::Key_F1);
        QCOMPARE(exported.count(), 1);
        QCOMPARE(explained.front().front().toString(), QString("entropy"));
    }

    void wheel_zooms_at_the_cursor_and_fit_shows_everything() {
        for (const Qt::Key key : {Qt::Key_F, Qt::Key_0}) {
            Bed bed;
            const QPoint at = bed.cell(3, 5);
            const auto wheel = [&] {
                QWheelEvent event(at, bed.canvas.mapToGlobal(at), {}, {0, 480}, Qt::NoButton, {},
                                  Qt::NoScrollPhase, false);
                QApplication::sendEvent(&bed.canvas, &event);
            };
            wheel();
            QVERIFY(!bed.map->view.isNull());
            // What was under the cursor still is.
            QCOMPARE(bed.map->cell_at(at, bed.canvas.frame(), bed.desk.theme()), std::optional(QPoint(5, 3)));
            const QRectF before = bed.map->view;
            QTest::mousePress(&bed.canvas, Qt::LeftButton, {}, at);
            QMouseEvent drag(QEvent::MouseMove, at + QPoint(120, 40), bed.canvas.mapToGlobal(at),
                             Qt::NoButton, Qt::LeftButton, {});
            QApplication::sendEvent(&bed.canvas, &drag);
            QTest::mouseRelease(&bed.canvas, Qt::LeftButton, {}, at + QPoint(120, 40));
            QVERIFY(bed.map->view.left() < before.left());
            QCOMPARE(bed.desk.selection.place(), (Place{0, 0, 8, 0})); // dragging selects nothing
            QTest::keyClick(&bed.canvas, key);
            QVERIFY(bed.map->view.isNull());
        }
    }

    void the_menu_ablates_and_copies() {
        Bed bed;
        const auto menu = bed.canvas.menu_at(bed.cell(2, 3));
        for (const char* title : {"Copy value", "Copy data", "Copy as command", "Copy as Python",
                                  "Export figure or numbers", "What this shows", "See everything"})
            QVERIFY2(action_of(*menu, title) && action_of(*menu, title)->isEnabled(), title);
        action_of(*menu, "Copy value")->trigger();
        QVERIFY(QApplication::clipboard()->text().contains("23"));
        action_of(*menu, "Copy as command")->trigger();
        QVERIFY(QApplication::clipboard()->text().startsWith("vitrine-cli analyze"));
        QVERIFY(!action_of(*menu, "Patch L2 H3")->isEnabled()); // nothing is pinned
        action_of(*menu, "Ablate L2 H3")->trigger();
        QCOMPARE(bed.desk.edits.active(), QStringList("L2H3 zero"));
        const auto again = bed.canvas.menu_at(bed.cell(2, 3));
        action_of(*again, "Switch the intervention on L2 H3 off")->trigger();
        QVERIFY(bed.desk.edits.active().isEmpty());
        bed.desk.set_pinned(tests::sample_run(words(9), 4, 6, 2));
        action_of(*bed.canvas.menu_at(bed.cell(2, 3)), "Patch L2 H3")->trigger();
        QCOMPARE(bed.desk.edits.active(), QStringList("L2H3 row=0 from row=1"));
        bed.desk.set_pinned(tests::sample_run(words(8), 4, 6, 2)); // another length: refused with a reason
        QAction* patch = action_of(*bed.canvas.menu_at(bed.cell(0, 0)), "Patch");
        QVERIFY(!bed.desk.why_no_patch().isEmpty());
        Q_UNUSED(patch);
    }

    void undo_walks_selection_and_interventions() {
        Bed bed;
        Desk& desk = bed.desk;
        desk.selection.set_head(1, 2);
        desk.edits.add("L1H2 zero");
        desk.selection.set_head(3, 3);
        desk.edits.set_on(0, false);
        desk.undo();
        QVERIFY(desk.edits.all()[0].on);
        desk.undo();
        QCOMPARE(desk.selection.place(), (Place{1, 2, 8, 0}));
        desk.undo();
        QVERIFY(desk.edits.all().empty());
        desk.redo();
        desk.redo();
        QCOMPARE(desk.selection.place(), (Place{3, 3, 8, 0}));
        QCOMPARE(desk.edits.active(), QStringList("L1H2 zero"));
        desk.selection.set_head(0, 0); // a new deed forgets what was undone
        QVERIFY(!desk.can_redo());
    }

    void the_head_and_the_grid_follow_clicks() {
        Desk desk;
        desk.set_theme(figure::make_theme(false));
        AttentionPage page(desk);
        page.resize(900, 500);
        desk.set_a(tests::sample_run(words(12), 4, 4));
        page.show();
        QVERIFY(QTest::qWaitForWindowExposed(&page));
        const auto grid = std::dynamic_pointer_cast<figure::AttentionGrid>(page.grid_canvas()->picture());
        const auto laid = grid->layout(page.grid_canvas()->frame(), desk.theme());
        QTest::mouseClick(
            page.grid_canvas(), Qt::LeftButton, {},
            QPointF(laid.cells.left() + 2.5 * laid.step, laid.cells.top() + 1.5 * laid.step).toPoint());
        QCOMPARE(desk.selection.place().layer, 1);
        QCOMPARE(desk.selection.place().head, 2);
        const auto head = std::dynamic_pointer_cast<figure::Heatmap>(page.head_canvas()->picture());
        const auto cells = head->layout(page.head_canvas()->frame(), desk.theme());
        QTest::mouseClick(
            page.head_canvas(), Qt::LeftButton, {},
            QPointF(cells.cells.left() + 3.5 * cells.cell_width, cells.cells.top() + 7.5 * cells.cell_height)
                .toPoint());
        QCOMPARE(desk.selection.place(), (Place{1, 2, 7, 3}));
        QVERIFY(page.head_canvas()->source().results()[0].data.size() == 144);
    }

    void s_puts_heads_together_and_the_menu_takes_them_out_at_once() {
        Desk desk;
        desk.set_theme(figure::make_theme(false));
        AttentionPage page(desk);
        page.resize(900, 500);
        desk.set_a(tests::sample_run(words(12), 4, 4));
        page.show();
        QVERIFY(QTest::qWaitForWindowExposed(&page));
        desk.selection.set_head(1, 2);
        QTest::keyClick(page.grid_canvas(), Qt::Key_S);
        desk.selection.set_head(3, 0);
        QTest::keyClick(page.head_canvas(), Qt::Key_S);
        QCOMPARE(desk.heads.all(), (std::vector<HeadSet::Head>{{1, 2}, {3, 0}}));
        const auto grid = std::dynamic_pointer_cast<figure::AttentionGrid>(page.grid_canvas()->picture());
        QCOMPARE(std::count(grid->in_set.begin(), grid->in_set.end(), true), 2);
        const auto laid = grid->layout(page.grid_canvas()->frame(), desk.theme());
        const auto menu = page.grid_canvas()->menu_at(
            {laid.cells.left() + 2.5 * laid.step, laid.cells.top() + 1.5 * laid.step});
        bool found = false, out = false;
        for (QAction* action : menu->actions()) {
            out = out || action->text().startsWith("Take L1 H2 out of the set");
            if (!action->text().startsWith("Ablate the set")) continue;
            found = true;
            action->trigger();
        }
        QVERIFY(found && out);
        QCOMPARE(desk.edits.active(), QStringList({"L1H2 zero", "L3H0 zero"}));
        QCOMPARE(Json(page.state())["grid"], Json(true));
    }

    void wrong_interventions_are_said_where_they_are_typed() {
        Desk desk;
        desk.set_theme(figure::make_theme(false));
        desk.edits.check = [](const QString& text) {
            return text.contains("halve") ? QString("There is no operation halve.") : QString();
        };
        EditPanel panel(desk);
        panel.field()->setText("L0H0 halve");
        QSignalSpy refused(&panel, &EditPanel::refused);
        QTest::keyClick(panel.field(), Qt::Key_Return);
        QCOMPARE(refused.count(), 1); // once: whoever says it lets it go again
        desk.selection.set_head(0, 0);
        desk.selection.set_head(0, 1);
        QCOMPARE(refused.count(), 1);
        QCOMPARE(panel.said(), QString("There is no operation halve."));
        QVERIFY(desk.edits.all().empty());
        panel.field()->setText("L0H0  scale 0.5 ");
        QVERIFY(panel.said().isEmpty());
        QTest::keyClick(panel.field(), Qt::Key_Return);
        QCOMPARE(desk.edits.active(), QStringList("L0H0 scale 0.5"));
        QVERIFY(panel.field()->text().isEmpty());
    }
};

QTEST_MAIN(TestGestures)
#include "test_gestures.moc"
