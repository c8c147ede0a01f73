// Pictures about heads: scatter, curves over steps, tables that sort, the map of sinks.
#include <QtTest>
#include <cmath>
#include <set>

#include "views/figure/column.h"
#include "views/figure/curves.h"
#include "views/figure/figure_for.h"
#include "views/figure/scatter.h"
#include "views/figure/series.h"
#include "views/figure/sink_map.h"
#include "views/figure/table.h"
#include "views/figure/what_if.h"

using namespace vitrine;
using namespace vitrine::figure;

namespace {

const QRectF room(0, 0, 600, 400);

QImage painted(const Picture& picture, const Theme& theme, const QRectF& in = room) {
    QImage image(in.size().toSize(), QImage::Format_ARGB32_Premultiplied);
    image.fill(theme.panel);
    QPainter painter(&image);
    picture.paint(painter, in, theme);
    return image;
}

engine::ResultValue table_of(const Json& rows, const char* name = "heads") {
    engine::ResultValue out;
    out.name = name;
    out.kind = "table";
    out.json = rows;
    return out;
}

// Heads of one layer: a cloud, and one far away.
Scatter cloud() {
    Scatter out;
    out.x_title = "sink";
    out.y_title = "induction";
    for (int head = 0; head < 12; ++head)
        out.points.push_back({0, head, 0.1 + 0.01 * (head % 4), 0.1 + 0.01 * (head / 4)});
    out.points.push_back({3, 7, 0.9, 0.8});
    out.points.push_back({3, 8, std::nan(""), 0.5});
    return out;
}

// `count` lines over eight steps; line i reaches i.
engine::ResultValue lines_of(int layers, int heads) {
    engine::ResultValue out;
    out.name = "induction_rate";
    out.kind = "matrix";
    out.axes = {
        {"layer", layers, {}}, {"head", heads, {}}, {"training_step", 4, {"10", "100", "1000", "10000"}}};
    for (int line = 0; line < layers * heads; ++line)
        for (int step = 0; step < 4; ++step)
            out.data.push_back(line * (step + 1) / 4.0);
    return out;
}

} // namespace

class TestHeadFigures : public QObject {
    Q_OBJECT

private slots:
    void four_columns_of_heads_are_a_scatter() {
        const Theme theme = make_theme(false);
        const Json rows = Json::parse(R"([{"layer":0,"head":1,"sink":0.2,"induction_rate":0.9},
                                          {"layer":2,"head":0,"sink":0.8,"induction_rate":null}])");
        const auto scatter = std::dynamic_pointer_cast<Scatter>(figure_for(table_of(rows, "scatter"), theme));
        QVERIFY(scatter);
        QCOMPARE(scatter->points.size(), std::size_t{2});
        QCOMPARE(scatter->points[0].name(), QString("L0 H1"));
        QCOMPARE(scatter->points[0].y, 0.9);
        QVERIFY(std::isnan(scatter->points[1].y));
        QCOMPARE(scatter->outstanding().size(), std::size_t{1}); // the other has no place
        // With three metrics it is a table, of which the first column is the head's name.
        Json more = rows;
        for (Json& row : more)
            row["self"] = 0.5;
        const auto table = std::dynamic_pointer_cast<Table>(figure_for(table_of(more), theme));
        QVERIFY(table);
        QCOMPARE(table->columns, QStringList({"head", "sink", "induction rate", "self"}));
        QCOMPARE(table->rows[1][0], QString("L2 H0"));
        QCOMPARE(table->rows[1][2], QString("–"));
    }

    void a_point_is_found_named_and_selected_where_it_is_drawn() {
        const Theme theme = make_theme(false);
        Scatter scatter = cloud();
        QCOMPARE(scatter.outstanding().front(), std::size_t{12});
        const QPointF far = scatter.frame(room, theme).at(0.9, 0.8);
        QCOMPARE(scatter.point_at(far + QPointF(3, -3), room, theme), 12);
        QCOMPARE(scatter.point_at(far + QPointF(40, 0), room, theme), -1);
        const Spot spot = scatter.spot_at(far, room, theme);
        QCOMPARE(spot.layer, 3);
        QCOMPARE(spot.head, 7);
        QVERIFY(scatter.describe(far, room, theme).contains("L3 H7 · sink 0.900 · induction 0.800"));
        // Its name stands beside it: ink where there was none without names.
        scatter.most_names = 0;
        const QImage bare = painted(scatter, theme);
        scatter.most_names = 10;
        const QImage named = painted(scatter, theme);
        int different = 0;
        for (int x = static_cast<int>(far.x()) - 60; x < std::min(599, static_cast<int>(far.x()) + 60); ++x)
            for (int y = static_cast<int>(far.y()) - 12; y < static_cast<int>(far.y()) + 12; ++y)
                different += bare.pixel(x, y) != named.pixel(x, y);
        QVERIFY(different > 20);
        QVERIFY(scatter.csv().contains("3,7,0.9,0.8\n"));
        QVERIFY(scatter.csv().contains("3,8,,0.5\n"));
    }

    void the_strongest_six_have_hues() {
        const Theme theme = make_theme(false);
        const auto curves = std::dynamic_pointer_cast<Curves>(figure_for(lines_of(2, 5), theme));
        QVERIFY(curves);
        QVERIFY(curves->log_x);
        QCOMPARE(curves->x, (std::vector<double>{10, 100, 1000, 10000}));
        QCOMPARE(curves->strongest(), (std::vector<std::size_t>{9, 8, 7, 6, 5, 4}));
        const QImage image = painted(*curves, theme);
        for (int hue = 0; hue < 6; ++hue) {
            const QRgb wanted = category_colour(hue, theme).rgb();
            int found = 0;
            for (int y = 0; y < image.height(); ++y)
                for (int x = 0; x < image.width(); ++x)
                    found += image.pixel(x, y) == wanted;
            QVERIFY2(found > 5, qPrintable(QString("hue %1").arg(hue)));
        }
        // Few lines all have one.
        const auto few = std::dynamic_pointer_cast<Curves>(figure_for(lines_of(1, 3), theme));
        QCOMPARE(few->strongest().size(), std::size_t{3});
    }

    void powers_of_ten_are_evenly_spaced_and_zero_has_a_place() {
        const NumberAxis axis = log_axis_of({10, 100, 1000, 10000});
        QCOMPARE(axis.position(10), 0.0);
        QVERIFY(std::abs(axis.position(100) - 1.0 / 3) < 1e-12);
        QCOMPARE(axis.position(10000), 1.0);
        const NumberAxis with_zero = log_axis_of({0, 1, 10, 100});
        QCOMPARE(with_zero.position(0), 0.0);
        QVERIFY(with_zero.position(1) > 0.1);
        QCOMPARE(with_zero.position(100), 1.0);
        for (const double tick : with_zero.ticks(5))
            QVERIFY(with_zero.position(tick) >= -1e-9 && with_zero.position(tick) <= 1 + 1e-9);
    }

    void a_line_is_found_where_it_is_drawn() {
        const Theme theme = make_theme(false);
        const auto curves = std::dynamic_pointer_cast<Curves>(figure_for(lines_of(2, 5), theme));
        const QPointF at = curves->frame(room, theme).at(1000, 9 * 3 / 4.0);
        const auto [line, index] = curves->at(at + QPointF(1, 1), room, theme);
        QCOMPARE(line, 9);
        QCOMPARE(index, 2);
        QCOMPARE(curves->spot_at(at, room, theme).layer, 1);
        QCOMPARE(curves->spot_at(at, room, theme).head, 4);
        QVERIFY(curves->describe(at, room, theme).startsWith("L1 H4 · training step 1,000 · 6.75"));
        QCOMPARE(curves->csv().count('\n'), 5);
    }

    void a_click_on_a_column_sorts_and_a_row_selects() {
        const Theme theme = make_theme(false);
        const Json rows = Json::parse(R"([{"layer":0,"head":0,"self":0.2,"a":1,"note":"b"},
                                          {"layer":0,"head":1,"self":0.9,"a":null,"note":"a"},
                                          {"layer":1,"head":0,"self":0.5,"a":10,"note":"c"}])");
        auto column = std::make_shared<Column>();
        column->parts.push_back(figure_for(table_of(rows), theme));
        const auto table = std::dynamic_pointer_cast<Table>(column->parts.front());
        QVERIFY(table);
        const auto order = [&] {
            QStringList names;
            for (const QStringList& row : table->rows)
                names << row[0];
            return names.join(",");
        };
        const QRectF place = column->places(room.topLeft(), room.width(), theme).front();
        // The second column's name, left of its middle.
        double x = place.left() + 2;
        while (table->sorted_by() != 1 && x < place.right())
            column->press(QPointF(x += 10, place.top() + 22 + 10), room, theme);
        QCOMPARE(table->sorted_by(), 1);
        QCOMPARE(order(), QString("L0 H1,L1 H0,L0 H0")); // the largest first
        QVERIFY(column->press(QPointF(x, place.top() + 32), room, theme));
        QCOMPARE(order(), QString("L0 H0,L1 H0,L0 H1"));
        table->sort_by(2);
        QCOMPARE(order(), QString("L1 H0,L0 H0,L0 H1")); // 10 before 1, none last
        table->sort_by(3);
        QCOMPARE(order(), QString("L0 H1,L0 H0,L1 H0")); // words by the alphabet
        const Spot spot = column->spot_at(QPointF(place.left() + 5, place.top() + 22 + 20 + 50), room, theme);
        QCOMPARE(spot.layer, 1);
        QCOMPARE(spot.head, 0);
        QVERIFY(!column->press(QPointF(place.left() + 5, place.top() + 22 + 50), room, theme));
        QVERIFY(table->csv().startsWith("head,self,a,note\nL0 H1,"));
    }

    void sinks_are_marked_where_enough_queries_see_the_key() {
        const Theme theme = make_theme(false);
        const int keys = 20;
        std::vector<double> alpha(2 * 2 * keys, 0.05);
        const auto set = [&](int layer, int head, int key, double value) {
            alpha[static_cast<std::size_t>((layer * 2 + head) * keys + key)] = value;
        };
        set(0, 1, 0, 0.9);
        set(1, 0, 0, 0.3); // strictly above
        set(1, 1, 5, 0.7);
        set(0, 0, 13, 0.8); // seven queries see it
        SinkMap map(2, 2, keys, alpha, {}, {}, theme);
        QCOMPARE(map.count(0), 1);
        QVERIFY(map.sinks(0, 1, 0) && !map.sinks(1, 0, 0));
        QVERIFY(map.hatched(13) && !map.hatched(12));
        QVERIFY(!map.sinks(0, 0, 13));
        map.select({0, 0, 19, 5});
        QCOMPARE(map.key(), 5);
        QCOMPARE(map.count(5), 1);
        // The mark has the sinks' colour and is there for this key only.
        const auto ink = [&] {
            const QImage image = painted(map, theme);
            int found = 0;
            for (int y = 44; y < 250; ++y)
                for (int x = 0; x < image.width(); ++x)
                    found += image.pixel(x, y) == theme.sink.rgb();
            return found;
        };
        QVERIFY(ink() > 10);
        map.choose_key(3);
        QCOMPARE(ink(), 0);
        // The ruler beneath chooses a key.
        int chosen = -1;
        for (int y = 250; y < 400 && chosen < 0; ++y)
            chosen = map.spot_at(QPointF(300, y), room, theme).key;
        QVERIFY(chosen > 0);
    }

    void caches_are_lines_by_position() {
        const Theme theme = make_theme(false);
        engine::ResultValue perplexity;
        perplexity.name = "perplexity";
        perplexity.kind = "matrix";
        perplexity.axes = {{"cache", 2, {"dense", "window"}}, {"bin", 3, {"0–31", "32–63", "64–70"}}};
        perplexity.data = {20, 18, 17, 20, 900, 1100};
        engine::ResultValue nll;
        nll.name = "nll";
        nll.kind = "matrix";
        nll.axes = {{"cache", 2, {"dense", "recomputed"}}, {"pos", 5, {}}};
        nll.data = {std::nan(""), 3, 2, 1, 2, std::nan(""), 3, std::nan(""), std::nan(""), 6};
        const auto both = std::dynamic_pointer_cast<Column>(figure_for({nll, perplexity}, theme));
        QVERIFY(both && both->parts.size() == 2);
        const auto bins = std::dynamic_pointer_cast<Curves>(both->parts[0]); // it leads
        const auto each = std::dynamic_pointer_cast<Curves>(both->parts[1]);
        QVERIFY(bins && each);
        QVERIFY(bins->log_y && !each->log_y); // one is the other's logarithm
        QCOMPARE(bins->lines[1].name, QString("window"));
        QCOMPARE(bins->x, (std::vector<double>{15.5, 47.5, 67}));
        const QPointF here = bins->frame(room, theme).at(47.5, 900);
        QCOMPARE(bins->describe(here, room, theme).section(QStringLiteral("  – "), 0, 0),
                 QString::fromUtf8("window · position 32–63 · 900"));
        QVERIFY(bins->csv().contains("position,dense,window\n"));
        QVERIFY(bins->csv().contains("32–63,18,900\n"));
        // What is measured here and there is one line, with a dot where it is measured.
        const PlotFrame laid = each->frame(room, theme);
        QCOMPARE(each->at(laid.at(4, 6), room, theme), (std::pair<int, int>{1, 4}));
        const auto coloured = [&](const QImage& image, const QPointF& at) {
            int count = 0;
            for (int x = -3; x <= 3; ++x)
                for (int y = -3; y <= 3; ++y)
                    count += QColor(image.pixel((at + QPointF(x, y)).toPoint())).saturation() > 60;
            return count;
        };
        const QPointF between = laid.at(2.5, 4.5);
        QVERIFY(coloured(painted(*each, theme), between) > 3);
        each->over_gaps = false;
        QCOMPARE(coloured(painted(*each, theme), between), 0);
        // A difference has no logarithm.
        perplexity.name = "perplexity_difference";
        perplexity.data = {-1, 0, 2, 3, -4, 5};
        const auto apart = std::dynamic_pointer_cast<Curves>(figure_for(perplexity, theme));
        QVERIFY(apart && !apart->log_y);
    }

    void all_changes_have_their_place() {
        WhatIf what;
        what.clean_text = "one two";
        what.rows.push_back(
            {"zero-value", "Zero its value", 0.5, 0.1, 0.02, 0.3, "one three", {"L0H0 zero"}, true});
        what.rows.push_back({"window",
                             "Window",
                             -0.1,
                             std::nan(""),
                             std::nan(""),
                             0.1,
                             "one four",
                             {"attention window=6"},
                             false});
        const Theme theme = make_theme(true);
        const QRectF in(QPointF(0, 0), what.preferred_size(theme));
        int first = -1, second = -1;
        for (int y = 0; y < in.height(); ++y) {
            const int row = what.row_at(QPointF(50, y), in);
            if (row == 0) first = y;
            if (row == 1) second = y;
        }
        QVERIFY(first > 0 && second > first);
        QVERIFY(what.describe(QPointF(50, first), in, theme)
                    .contains("+0.500 nats (at a random other token +0.100 ± 0.0200)"));
        QVERIFY(what.describe(QPointF(50, first), in, theme).endsWith("a click takes it back"));
        QVERIFY(what.describe(QPointF(50, second), in, theme).endsWith("a click makes this change"));
        const QImage image = painted(what, theme, in);
        int accent = 0;
        for (int y = 0; y < image.height(); ++y)
            for (int x = 0; x < 20; ++x)
                accent += image.pixel(x, y) == theme.accent.rgb();
        QVERIFY(accent > 20); // the box of what is switched on
        // However little room there is, every row has its place, in order; what is cut is in the hint.
        while (what.rows.size() < 7)
            what.rows.push_back(what.rows.back());
        for (const double height : {400.0, 230.0, 140.0}) {
            const QRectF room(0, 0, 300, height);
            int last = -1, top = 0; // of the last row
            for (int y = 0; y < room.height(); ++y) {
                const int row = what.row_at(QPointF(50, y), room);
                if (row < 0 && last == 6) continue; // beneath it
                QVERIFY(row == last || row == last + 1);
                if (row != last) top = y;
                last = row;
            }
            QCOMPARE(last, 6);
            QVERIFY(what.hint(QPointF(50, top + 5), room, theme).contains("one four"));
            QVERIFY(what.hint(QPointF(50, top + 5), room, theme).contains("attention window=6"));
            const QImage drawn = painted(what, theme, room);
            int ink = 0;
            for (int y = top + 2; y < top + 12; ++y)
                for (int x = 20; x < 300; ++x)
                    ink += drawn.pixel(x, y) != theme.panel.rgb();
            QVERIFY(ink > 50);
        }
    }
};

QTEST_MAIN(TestHeadFigures)
#include "test_head_figures.moc"
