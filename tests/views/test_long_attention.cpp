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
                                                  const std::vector<bool>& out = {}) {
    ThreadPool pool(2);
    auto open = store.open(layer, head, out, pool, {});
    if (!open) qFatal("%s", open.error().message.c_str());
    return *open;
}

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
        page.restore({});
        desk.set_pinned(long_run(random_store(4)));
        desk.set_side(Side::difference);
        QVERIFY(page.data().said_in_place.contains("700 tokens"));
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
