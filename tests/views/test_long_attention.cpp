// The Attention page on a run whose patterns are not kept: tiles, levels and values against the head itself.
#include <random>

#include <QSignalSpy>
#include <QtTest>

#include "tests/views/sample_run.h"
#include "views/attention/attention_page.h"
#include "views/attention/long_pictures.h"
#include "views/figure/heatmap.h"
#include "views/inspector/inspector.h"

using namespace vitrine;
using namespace vitrine::views;

namespace {

constexpr int tokens = 700, layers = 2, heads = 3;

std::shared_ptr<attention::HeadStore> random_store(unsigned seed) {
    std::mt19937 draw(seed);
    std::normal_distribution<float> normal;
    std::vector<std::optional<attention::LayerScores>> all;
    for (int layer = 0; layer < layers; ++layer) {
        attention::LayerScores scores;
        scores.tokens = tokens;
        scores.spec.heads = heads;
        scores.spec.kv_heads = 1;
        scores.spec.d_head = 8;
        scores.spec.scale = 0.5F;
        Tensor q({tokens, heads, 8}), k({tokens, 1, 8});
        for (float& x : q.data)
            x = normal(draw) + 1;
        for (float& x : k.data)
            x = normal(draw);
        for (int i = 0; i < 8; ++i)
            k.data[static_cast<std::size_t>(i)] = 3; // a sink: every query looks at the first key
        scores.q = std::make_shared<const Tensor>(std::move(q));
        scores.k = std::make_shared<const Tensor>(std::move(k));
        all.emplace_back(std::move(scores));
    }
    return std::make_shared<attention::HeadStore>(std::move(all), heads);
}

RunPtr long_run(const std::shared_ptr<attention::HeadStore>& store) {
    auto run = std::make_shared<ShownRun>(*tests::sample_run({" a"}, layers, heads));
    run->tokens.clear();
    for (int i = 0; i < tokens; ++i) {
        const std::string word = " w" + std::to_string(i);
        run->tokens.push_back({i, word, false, figure::shown_token(word)});
    }
    run->patterns.clear();
    run->store = store;
    return run;
}

std::shared_ptr<const attention::OpenHead> opened(attention::HeadStore& store, int layer, int head,
                                                  const attention::Look& look = {}) {
    ThreadPool pool(2);
    auto open = store.open(layer, head, look, pool, {});
    if (!open) qFatal("%s", open.error().message.c_str());
    return *open;
}

/// The page on a long run, its second head chosen.
struct Bed {
    explicit Bed(unsigned seed) : store(random_store(seed)), page(desk) {
        desk.set_theme(figure::make_theme(false));
        page.resize(900, 600);
        page.show();
        desk.set_a(long_run(store));
        desk.selection.set({1, 1, 500, 20});
    }
    /// The large picture when nothing of it is missing any more; nullptr: it never was complete.
    const figure::Heatmap* settled() {
        const auto complete = [this] {
            page.head_canvas()->repaint();
            return page.settled();
        };
        if (!QTest::qWaitFor(complete)) return nullptr;
        return dynamic_cast<const figure::Heatmap*>(page.head_canvas()->picture().get());
    }

    Desk desk;
    std::shared_ptr<attention::HeadStore> store;
    AttentionPage page;
};

bool same(float a, float b) { return (std::isnan(a) && std::isnan(b)) || a == b; }

} // namespace

class TestLongAttention : public QObject {
    Q_OBJECT
private slots:
    void a_picture_reads_what_the_head_has() {
        const auto store = random_store(1);
        const auto head = opened(*store, 1, 2);
        std::vector<TileWish> wanted;
        const LargeHead large(head, [&](std::vector<TileWish> tiles) { wanted = std::move(tiles); });
        for (const int cell : {1, 2, 4, 8, 16, 64}) {
            const int size = (tokens + cell - 1) / cell;
            for (const QRect& part : {QRect(0, 0, size, size), QRect(size / 3, size / 2, size / 3, size / 3)})
                for (const bool mean : {false, true}) {
                    const figure::Matrix drawn = large.read(cell, part, mean, true);
                    const attention::Patch whole = head->patch(cell, 0, 0, size, size, {});
                    for (int row = 0; row < part.height(); ++row)
                        for (int col = 0; col < part.width(); ++col) {
                            const auto at =
                                static_cast<std::size_t>((row + part.top()) * size + col + part.left());
                            QVERIFY(same(drawn.at(row, col), (mean ? whole.mean : whole.largest)[at]));
                        }
                }
        }
        QVERIFY(wanted.empty());
    }

    void what_is_not_read_yet_is_coarse_and_asked_for() {
        const auto store = random_store(2);
        const auto head = opened(*store, 0, 0);
        std::vector<TileWish> wanted;
        const LargeHead large(head, [&](std::vector<TileWish> tiles) { wanted = std::move(tiles); });
        const QRect part(100, 300, 300, 250);
        const figure::Matrix before = large.read(1, part, false, false);
        QVERIFY(!large.complete() && !wanted.empty());
        const attention::Level& coarse = head->levels().front();
        QVERIFY(same(before.at(7, 11), coarse.largest[coarse.at(307 / 8, 111 / 8)]));
        for (const TileWish& wish : std::exchange(wanted, {}))
            large.take(wish, std::make_shared<const attention::Patch>(read_tile(wish, {})));
        const figure::Matrix after = large.read(1, part, false, false);
        QVERIFY(large.complete() && wanted.empty());
        for (int row = 0; row < part.height(); ++row)
            for (int col = 0; col < part.width(); ++col)
                QVERIFY(same(after.at(row, col), head->at(row + part.top(), col + part.left())));
    }

    void the_page_opens_a_head_and_says_its_values() {
        Desk desk;
        desk.set_theme(figure::make_theme(false));
        const auto store = random_store(3);
        AttentionPage page(desk);
        const QSignalSpy known(&desk, &Desk::facts_changed), briefs(&page, &AttentionPage::briefs_wanted);
        page.resize(900, 600);
        page.show();
        desk.set_a(long_run(store));
        QCOMPARE(briefs.count(), 1);
        desk.selection.set({1, 1, 500, 20});
        const auto painted = [&] {
            page.head_canvas()->repaint();
            return page.settled();
        };
        QTRY_VERIFY(painted());
        QVERIFY(known.count() > 0);
        const auto head = store->find(1, 1, {});
        QVERIFY(head != nullptr);
        auto* map = dynamic_cast<figure::Heatmap*>(page.head_canvas()->picture().get());
        QVERIFY(map != nullptr && map->large != nullptr);
        QVERIFY(map->describe_cell(500, 20).contains(figure::number(head->at(500, 20))));
        QVERIFY(map->style.marked[0]); // the sink
        QVERIFY(map->csv().size() > 1000);
        // Zoomed in, the same; the wheel leaves the cell under the pointer where it is.
        const QRectF frame = page.head_canvas()->frame();
        const QPointF at = map->layout(frame, desk.theme()).cells.center() + QPointF(-40, 60);
        const auto before = map->cell_at(at, frame, desk.theme());
        QVERIFY(map->zoom(40, at, frame, desk.theme()));
        page.head_canvas()->redraw();
        const auto after = map->cell_at(at, frame, desk.theme());
        QVERIFY(before && after && (*before - *after).manhattanLength() <= 2);
        QTRY_VERIFY(painted());
        // Without its sinks each row sums to 1 again.
        page.restore({{"sinks_out", true}});
        QTRY_VERIFY(painted());
        map = dynamic_cast<figure::Heatmap*>(page.head_canvas()->picture().get());
        QVERIFY(std::isnan(map->large->at(500, 0)));
        double sum = 0;
        for (int key = 1; key <= 500; ++key)
            sum += double{map->large->at(500, key)};
        QVERIFY(std::abs(sum - 1) < 1e-5);
        // What cannot be drawn is said.
        page.restore({{"large", 1}});
        map = dynamic_cast<figure::Heatmap*>(page.head_canvas()->picture().get());
        QVERIFY(map->said_in_place.contains("700 tokens"));
    }

    void scores_are_shown_on_one_scale() {
        Bed bed(31);
        bed.page.choose(Measure::score);
        const figure::Heatmap* map = bed.settled();
        QVERIFY(map != nullptr);
        const auto head = bed.store->find(1, 1, {attention::Cells::score});
        QVERIFY(head != nullptr && head != bed.store->find(1, 1, {}));
        QVERIFY(map->describe_cell(500, 20).contains(figure::number(head->at(500, 20))));
        QVERIFY(map->style.marked.empty()); // no columns of sinks before the softmax
        // The scale holds what was read so far, and widens with the next head.
        QCOMPARE(map->style.scale.min, double{head->smallest()});
        QCOMPARE(map->style.scale.max, double{head->levels().back().largest.front()});
        ThreadPool pool(1);
        for (int at = 0; at < layers * heads; ++at)
            QVERIFY(bed.store->read_brief(at / heads, at % heads, {attention::Cells::score}, pool, {}));
        bed.page.show_briefs();
        map = bed.settled();
        double low = INFINITY, high = -INFINITY;
        for (int at = 0; at < layers * heads; ++at) {
            const auto one = opened(*bed.store, at / heads, at % heads, {attention::Cells::score});
            for (int query = 0; query < tokens; ++query)
                for (const float score : one->row(query)) {
                    low = std::min<double>(low, score);
                    high = std::max<double>(high, score);
                }
        }
        QCOMPARE(map->style.scale.min, low);
        QCOMPARE(map->style.scale.max, high);
        const auto* grid = dynamic_cast<figure::AttentionGrid*>(bed.page.grid_canvas()->picture().get());
        QVERIFY(grid && !grid->patterns[5].empty() && grid->scale.min == low && grid->scale.max == high);
    }

    void weighted_values_wait_for_their_lengths() {
        Bed bed(32);
        bed.page.choose(Measure::value_weighted);
        auto* map = dynamic_cast<figure::Heatmap*>(bed.page.head_canvas()->picture().get());
        QVERIFY(map != nullptr && map->said_in_place.contains("once more"));
        attention::ValueNorms norms{tokens, {}};
        for (int i = 0; i < heads * tokens; ++i)
            norms.values.push_back(1 + i % 17);
        bed.store->set_norms(1, std::make_shared<const attention::ValueNorms>(norms));
        bed.page.show_briefs();
        const figure::Heatmap* shown = bed.settled();
        QVERIFY(shown != nullptr);
        const auto weights = opened(*bed.store, 1, 1);
        QCOMPARE(shown->large->at(500, 20),
                 static_cast<float>(double{weights->at(500, 20)} * norms.of(1)[20]));
        // On a logarithmic scale too.
        bed.page.restore({{"measure", static_cast<int>(Measure::value_weighted)}, {"log", true}});
        shown = bed.settled();
        QVERIFY(shown->style.scale.log && shown->style.scale.max > 1);
    }

    void differences_of_two_runs_are_read_together() {
        Bed bed(33);
        const auto other = random_store(34);
        bed.desk.set_pinned(long_run(other));
        bed.desk.set_side(Side::difference);
        const figure::Heatmap* map = bed.settled();
        QVERIFY(map != nullptr);
        const float a = opened(*bed.store, 1, 1)->at(500, 20), b = opened(*other, 1, 1)->at(500, 20);
        QCOMPARE(map->large->at(500, 20), a - b);
        QVERIFY(map->title.contains(QStringLiteral("A − B")));
        QVERIFY(map->style.scale.min == -map->style.scale.max && map->style.scale.max > 0);
        // Dots that stand for many show what lies farthest from zero, with its sign.
        const figure::Matrix dots = map->large->read(64, QRect(0, 0, 11, 11), false, true);
        float lowest = 0;
        for (int row = 0; row < 11; ++row)
            for (int col = 0; col <= row; ++col)
                lowest = std::min(lowest, dots.at(row, col));
        QVERIFY(lowest < 0);
        // Of scores as well; another text is refused in words.
        bed.page.choose(Measure::score);
        map = bed.settled();
        const attention::Look look{attention::Cells::score};
        QCOMPARE(map->large->at(500, 20),
                 opened(*bed.store, 1, 1, look)->at(500, 20) - opened(*other, 1, 1, look)->at(500, 20));
        auto kept = std::make_shared<ShownRun>(*long_run(other));
        kept->store.reset();
        bed.desk.set_pinned(kept);
        QVERIFY(!bed.page.data().said_in_place.isEmpty());
    }

    void equal_runs_say_so() {
        Bed bed(35);
        bed.desk.set_pinned(long_run(random_store(35)));
        bed.desk.set_side(Side::difference);
        ThreadPool pool(1);
        for (int at = 0; at < layers * heads; ++at)
            QVERIFY(bed.page.data().store->read_brief(at / heads, at % heads, {}, pool, {}));
        bed.page.show_briefs();
        QVERIFY(bed.page.data().said_in_place.contains("equal"));
    }

    void rollout_says_what_it_would_take() {
        Bed bed(36);
        bed.page.choose(Measure::rollout);
        QVERIFY(bed.page.data().said_in_place.contains("700"));
        bed.page.choose(Measure::weight);
        QVERIFY(bed.settled() != nullptr);
    }

    void the_mouse_zooms_pans_points_and_chooses() {
        Bed bed(37);
        FigureCanvas& canvas = *bed.page.head_canvas();
        const figure::Heatmap* map = bed.settled();
        QVERIFY(map != nullptr);
        const auto head = bed.store->find(1, 1, {});
        const QRectF cells = map->layout(canvas.frame(), bed.desk.theme()).cells;
        const QPoint at = (cells.topLeft() + QPointF(0.4 * cells.width(), 0.6 * cells.height())).toPoint();
        const auto cell = [&] { return *bed.settled()->cell_at(at, canvas.frame(), bed.desk.theme()); };
        // The wheel zooms where the pointer is.
        const QPoint before = cell();
        for (int notch = 0; notch < 24; ++notch) {
            QWheelEvent wheel(at, canvas.mapToGlobal(at), {}, {0, 120}, Qt::NoButton, Qt::NoModifier,
                              Qt::NoScrollPhase, false);
            QApplication::sendEvent(&canvas, &wheel);
        }
        QVERIFY((cell() - before).manhattanLength() <= 4);
        map = bed.settled();
        QVERIFY(map->view.width() < 60);
        // Pointing says the exact value, zoomed in or not.
        QSignalSpy said(&bed.desk, &Desk::pointed);
        QTest::mouseMove(&canvas, at);
        QTRY_VERIFY(!said.isEmpty());
        QVERIFY(said.last().front().toString().contains(figure::number(head->at(cell().y(), cell().x()))));
        // Dragging moves the picture with the pointer, by as many cells as pixels allow.
        const QPoint held = cell();
        const double width = map->layout(canvas.frame(), bed.desk.theme()).cell_width;
        QTest::mousePress(&canvas, Qt::LeftButton, {}, at);
        for (int step = 1; step <= 10; ++step) {
            QMouseEvent move(QEvent::MouseMove, at + QPoint(8 * step, 0), canvas.mapToGlobal(at),
                             Qt::NoButton, Qt::LeftButton, Qt::NoModifier);
            QApplication::sendEvent(&canvas, &move);
            QVERIFY(bed.settled() != nullptr);
        }
        QTest::mouseRelease(&canvas, Qt::LeftButton, {}, at + QPoint(80, 0));
        QVERIFY(std::abs(held.x() - cell().x() - 80 / width) <= 1.5 && held.y() == cell().y());
        // A click chooses a cell, a double click gives the picture all the room, F shows everything.
        QTest::mouseClick(&canvas, Qt::LeftButton, {}, at);
        QCOMPARE(bed.desk.selection.place().query, cell().y());
        QCOMPARE(bed.desk.selection.place().key, cell().x());
        QTest::keyClick(&canvas, Qt::Key_F);
        QVERIFY(bed.settled()->view.isNull());
        QTest::mouseDClick(&canvas, Qt::LeftButton, {}, at);
        QVERIFY(!bed.page.grid_shown());
    }

    void a_layer_that_an_intervention_changes_is_refused_in_words() {
        Desk desk;
        desk.set_theme(figure::make_theme(false));
        AttentionPage page(desk);
        page.resize(900, 600);
        page.show();
        std::vector<std::optional<attention::LayerScores>> none(layers);
        const auto run = std::make_shared<ShownRun>(*long_run(random_store(5)));
        run->store = std::make_shared<attention::HeadStore>(std::move(none), heads);
        desk.set_a(run);
        const auto said = [&] {
            const auto* map = dynamic_cast<figure::Heatmap*>(page.head_canvas()->picture().get());
            return map && map->said_in_place.contains("intervention");
        };
        QTRY_VERIFY(said());
    }

    void thumbnails_fill_in() {
        Desk desk;
        desk.set_theme(figure::make_theme(true));
        const auto store = random_store(6);
        AttentionPage page(desk);
        page.resize(900, 600);
        page.show();
        desk.set_a(long_run(store));
        ThreadPool pool(1);
        QVERIFY(store->read_brief(0, 1, {}, pool, {}).has_value());
        page.show_briefs();
        const auto* grid = dynamic_cast<figure::AttentionGrid*>(page.grid_canvas()->picture().get());
        QVERIFY(grid != nullptr);
        QVERIFY(!grid->patterns[1].empty());
        QVERIFY(grid->patterns[5].empty()); // not read yet
        QVERIFY(grid->notes[5].contains("not read"));
        QVERIFY(grid->sinks[1][0]);
    }

    void the_inspector_knows_an_open_head() {
        const auto store = random_store(7);
        const RunPtr run = long_run(store);
        const Place place{0, 2, 400, 3};
        QVERIFY(facts_at(*run, place, nullptr, place).empty());
        const auto head = opened(*store, 0, 2);
        const std::vector<Fact> facts = facts_at(*run, place, nullptr, place);
        QVERIFY(!facts.empty());
        QCOMPARE(facts.front().value, figure::number(head->at(400, 3)));
    }
};

QTEST_MAIN(TestLongAttention)
#include "test_long_attention.moc"
