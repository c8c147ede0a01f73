// Colours that can be read, numbers and tokens as written, figures whose text and provenance survive the
// file.
#include <QFile>
#include <QImage>
#include <QPainter>
#include <QTemporaryDir>
#include <QXmlStreamReader>
#include <QtTest>
#include <cmath>
#include <limits>

#include "views/figure/attention_grid.h"
#include "views/figure/column.h"
#include "views/figure/export.h"
#include "views/figure/figure_for.h"
#include "views/figure/heatmap.h"
#include "views/figure/lanes_for.h"
#include "views/figure/next_tokens.h"
#include "views/figure/provenance.h"
#include "views/figure/table.h"
#include "views/figure/token_grid.h"

using namespace vitrine;
using namespace vitrine::figure;

class TestFigure : public QObject {
    Q_OBJECT

private slots:
    void text_on_every_cell_reads() {
        for (const Map map : {Map::cividis, Map::viridis, Map::sink, Map::diverging, Map::diverging_dark})
            for (int i = 0; i <= 100; ++i) {
                const QColor ground = colour_at(map, i / 100.0);
                QVERIFY(contrast(ground, text_on(ground)) >= 4.5);
            }
    }

    void maps_of_amounts_rise_in_lightness() {
        for (const Map map : {Map::cividis, Map::viridis, Map::sink})
            for (int i = 1; i <= 64; ++i)
                QVERIFY(luminance(colour_at(map, i / 64.0)) >
                        luminance(colour_at(map, (i - 1) / 64.0)) - 2e-3);
    }

    void words_read_on_both_themes() {
        for (const bool dark : {false, true}) {
            const Theme theme = make_theme(dark);
            for (const QColor& ground : {theme.window, theme.panel})
                for (const QColor& ink : {theme.text, theme.muted, theme.accent, theme.query, theme.key,
                                          theme.sink, theme.good, theme.warning})
                    QVERIFY2(contrast(ground, ink) >= 4.5, qPrintable(ink.name() + " on " + ground.name()));
        }
    }

    void lanes_of_two_runs_are_aligned_by_step() {
        const auto results = [](std::vector<double> ids, std::vector<double> entropy) {
            const auto steps = static_cast<std::int64_t>(ids.size());
            std::vector<engine::ResultValue> out{
                {"ids", "series", {{"step", steps, {}}}, ids, {}, {}},
                {"entropy", "series", {{"step", steps, {}}}, std::move(entropy), {}, {}},
                {"tokens", "table", {}, {}, Json::array(), {}}};
            for (std::size_t i = 0; i < ids.size(); ++i)
                out.back().json.push_back(
                    {{"row", 0}, {"position", 7 + i}, {"id", ids[i]}, {"token", " t" + std::to_string(i)}});
            return out;
        };
        const auto a = results({1, 2, 3}, {4, 5, 6}), b = results({1, 2, 4, 5}, {4, 5, 1, 2});
        const Theme theme = make_theme(false);
        const auto both = lanes_for({{"a", &a}, {"b", &b}}, NAN, false);
        QVERIFY(both && both->runs.size() == 2 && both->lanes.size() == 1);
        QCOMPARE(both->parting, 2);
        QVERIFY(both->said.contains("before step 2"));
        QCOMPARE(both->steps(), std::size_t{4});
        QCOMPARE(both->runs[0].first, 7);
        const QRectF in(0, 0, 700, 300);
        int found = -1;
        for (double x = 0; x < 700 && found != 3; ++x)
            found = both->step_at({x, 150}, in, theme);
        QCOMPARE(found, 3);
        // The step of the longer run alone; positions count from the prompt's end, the query is one before.
        for (double x = 699; x > 0; --x)
            if (both->step_at({x, 150}, in, theme) == 2) {
                QCOMPARE(both->spot_at({x, 150}, in, theme).query, 8);
                const QString line = both->describe({x, 150}, in, theme);
                QVERIFY2(line.contains("entropy 6") && line.contains("entropy 1") && line.contains("id 4"),
                         qPrintable(line));
                break;
            }
        both->select({-1, -1, 8, -1});
        QCOMPARE(both->selected, 2);
        std::vector<double> many(200);
        const auto lengthy = results(many, many);
        const auto zoomed = lanes_for({{"long", &lengthy}}, NAN, false);
        const QPointF middle(400, 120);
        const int before = zoomed->step_at(middle, in, theme);
        QVERIFY(zoomed->zoom(4, middle, in, theme));
        QVERIFY(std::abs(zoomed->step_at(middle, in, theme) - before) <= 1); // stays under the pointer
        QVERIFY(zoomed->step_at({170, 120}, in, theme) > 20);
        QVERIFY(zoomed->pan({-40, 0}, in, theme));
        QVERIFY(zoomed->step_at(middle, in, theme) > before);
        zoomed->fit();
        QCOMPARE(zoomed->step_at(middle, in, theme), before);
        const auto difference = lanes_for({{"a", &a}, {"b", &b}}, NAN, true);
        QCOMPARE(difference->lanes[0].lines[0].values.size(), std::size_t{1});
        QCOMPARE(difference->lanes[0].lines[0].values[0], (std::vector<double>{0, 0, 5}));
        QCOMPARE(both->csv().count('\n'), 5);
        QVERIFY(both->csv().startsWith("step,a token,b token,a entropy,b entropy\n"));
        QVERIFY(!lanes_for({{"none", &a}}, NAN, false)->lanes.empty());
        const std::vector<engine::ResultValue> nothing;
        QVERIFY(!lanes_for({{"none", &nothing}}, NAN, false));
    }

    void heads_carry_their_signs() {
        engine::ResultValue map{"normalised", "matrix", {{"layer", 1, {}}, {"head", 2, {}}},
                                {0.95, 0.2},  {},       {}};
        engine::ResultValue heads{"heads", "table", {}, {}, Json::array(), {}};
        heads.json = {{{"layer", 0}, {"head", 0}, {"label", "overload"}},
                      {{"layer", 0}, {"head", 1}, {"label", "sink"}}};
        const Theme theme = make_theme(false);
        const PicturePtr picture = figure_for(map, theme);
        mark_heads(*picture, {map, heads}, theme);
        const auto* marked = dynamic_cast<const Heatmap*>(picture.get());
        QVERIFY(marked && marked->tags.size() == 2);
        QVERIFY(marked->legend.contains(QString::fromUtf8("▲ overload 1")));
        QVERIFY(marked->describe_cell(0, 1).contains("sink"));
    }

    void published_colours() {
        QCOMPARE(colour_at(Map::cividis, 0),
                 QColor(0x00224e)); // first and last entries of matplotlib's tables
        QCOMPARE(colour_at(Map::cividis, 1), QColor(0xfee838));
        QCOMPARE(colour_at(Map::viridis, 0), QColor(0x440154));
        QCOMPARE(colour_at(Map::viridis, 1), QColor(0xfde725));
    }

    void numbers_data() {
        QTest::addColumn<double>("value");
        QTest::addColumn<QString>("shown");
        QTest::newRow("zero") << 0.0 << "0";
        QTest::newRow("share") << 0.91449 << "0.914";
        QTest::newRow("carry") << 0.99961 << "1.00";
        QTest::newRow("negative") << -3.14159 << "−3.14";
        QTest::newRow("thousands") << 12345.6 << "12,300";
        QTest::newRow("carry to thousands") << 999.6 << "1,000";
        QTest::newRow("million") << 1234567.0 << "1,230,000";
        QTest::newRow("small") << 2.1e-6 << "2.10e−6";
        QTest::newRow("whole") << 7.0 << "7";
        QTest::newRow("none") << std::nan("") << "–";
        QTest::newRow("masked") << -std::numeric_limits<double>::infinity() << "−∞";
    }
    void numbers() {
        QFETCH(double, value);
        QFETCH(QString, shown);
        QCOMPARE(number(value), shown);
    }
    void counts() {
        QCOMPARE(count(1234567), QString("1,234,567"));
        QCOMPARE(count(-12), QString("−12"));
        QCOMPARE(count(123), QString("123"));
    }

    void tokens_data() {
        QTest::addColumn<QByteArray>("bytes");
        QTest::addColumn<QString>("shown");
        QTest::newRow("leading space") << QByteArray(" ship") << "·ship";
        QTest::newRow("inner space") << QByteArray(" a b ") << "·a b·";
        QTest::newRow("newline, tab") << QByteArray("\n\t") << "⏎⇥";
        QTest::newRow("control") << QByteArray("\x01") << "⟨01⟩";
        QTest::newRow("half a letter") << QByteArray("\xC3") << "⟨C3⟩";
        QTest::newRow("letter and half") << QByteArray("\xC3\xA9\xE2\x82") << "é⟨E2⟩⟨82⟩";
        QTest::newRow("overlong") << QByteArray("\xC0\x80") << "⟨C0⟩⟨80⟩";
        QTest::newRow("surrogate") << QByteArray("\xED\xA0\x80") << "⟨ED⟩⟨A0⟩⟨80⟩";
        QTest::newRow("soft hyphen") << QByteArray("\xC2\xAD") << "⟨U+00AD⟩";
        QTest::newRow("no glyph anywhere") << QByteArray("\xF3\xB0\x80\x80") << "⟨U+F0000⟩";
    }
    void tokens() {
        QFETCH(QByteArray, bytes);
        QFETCH(QString, shown);
        QCOMPARE(shown_token(std::string_view(bytes.constData(), static_cast<std::size_t>(bytes.size()))),
                 shown);
    }

    void ticks_are_round() {
        QCOMPARE(round_ticks(0, 1, 5), (std::vector<double>{0, 0.2, 0.4, 0.6000000000000001, 0.8, 1}));
        ColourScale scale;
        scale.log = true;
        QCOMPARE(scale.ticks().size(), std::size_t(5)); // 1e-4 … 1
        QCOMPARE(scale.position(1e-6), 0.0);
        QCOMPARE(scale.position(1e-2), 0.5);
    }

    void small_images_keep_the_largest() {
        std::vector<float> values(64 * 64, 0.0F);
        values[50 * 64 + 13] = 1.0F;
        const Matrix matrix = make_matrix(64, 64, values);
        CellStyle style;
        style.causal = true;
        const QImage image = cells_image(matrix, style, QRect(0, 0, 64, 64), {8, 8});
        QCOMPARE(image.size(), QSize(8, 8));
        QCOMPARE(QColor(image.pixel(13 / 8, 50 / 8)), colour_at(Map::cividis, 1));
        QCOMPARE(QColor(image.pixel(0, 0)), colour_at(Map::cividis, 0));
        QCOMPARE(qAlpha(image.pixel(7, 0)), 0); // above the diagonal nothing is drawn
    }

    void a_cell_is_found_where_it_is_drawn() {
        const Theme theme = make_theme(false);
        Heatmap map;
        map.values = make_matrix(6, 6, std::vector<float>(36, 0.25F));
        map.style.causal = map.square = true;
        map.row_title = "query", map.col_title = "key";
        map.style.scale.unit = "attention";
        const QRectF in(0, 0, 400, 400);
        const auto laid = map.layout(in, theme);
        const QPointF inside(laid.cells.left() + 1.5 * laid.cell_width,
                             laid.cells.top() + 4.5 * laid.cell_height);
        QCOMPARE(map.cell_at(inside, in, theme), std::optional(QPoint(1, 4)));
        QCOMPARE(map.describe(inside, in, theme), QString("query 4 · key 1 = 0.250 attention"));
        const QPointF above(laid.cells.left() + 4.5 * laid.cell_width,
                            laid.cells.top() + 1.5 * laid.cell_height);
        QVERIFY(!map.cell_at(above, in, theme));
        QVERIFY(map.zoom(1.5, inside, in, theme));
        QCOMPARE(map.cell_at(inside, in, theme),
                 std::optional(QPoint(1, 4))); // what is under the pointer stays
        map.fit();
        QVERIFY(map.view.isNull());
    }

    void exports_keep_text_and_provenance() {
        QTemporaryDir folder;
        const std::filesystem::path base = folder.path().toStdString();
        const Theme theme = make_theme(false);
        NextTokens picture;
        picture.after = "·ship";
        picture.position = 3;
        picture.rows = {{{5, " sailed", false, "·sailed"}, 0.5, 3.25, 0}};
        ExportOptions options;
        options.title = "after <ship> & so";
        options.provenance = Json{{"model", "a<b"}, {"device", "cpu"}};
        for (const char* name : {"f.svg", "f.pdf", "f.png"}) {
            const auto written = export_figure(picture, base / name, theme, options);
            QVERIFY2(written, written ? "" : written.error().message.c_str());
        }
        QFile svg(QString::fromStdString((base / "f.svg").string()));
        QVERIFY(svg.open(QIODevice::ReadOnly));
        QXmlStreamReader reader(&svg);
        QString texts, title, description;
        while (!reader.atEnd()) {
            reader.readNext();
            if (!reader.isStartElement()) continue;
            if (reader.name() == QLatin1String("text"))
                texts += reader.readElementText() + '|';
            else if (reader.name() == QLatin1String("title"))
                title = reader.readElementText();
            else if (reader.name() == QLatin1String("desc"))
                description = reader.readElementText();
        }
        QVERIFY2(!reader.hasError(), qPrintable(reader.errorString()));
        QVERIFY2(texts.contains("·sailed"), qPrintable(texts));
        QCOMPARE(title.trimmed(), QString("after <ship> & so"));
        QCOMPARE(QString::fromStdString(Json::parse(description.trimmed().toStdString())["model"]),
                 QString("a<b"));

        QFile pdf(QString::fromStdString((base / "f.pdf").string()));
        QVERIFY(pdf.open(QIODevice::ReadOnly));
        const QByteArray bytes = pdf.readAll();
        QVERIFY(bytes.startsWith("%PDF"));
        QVERIFY(bytes.contains("/FontFile"));
        QVERIFY(bytes.contains("a&lt;b"));

        const QImage png(QString::fromStdString((base / "f.png").string()));
        QVERIFY(!png.isNull());
        QVERIFY(png.text("Description").contains("\"device\":\"cpu\""));

        const auto refused = export_figure(picture, base / "f.gif", theme, options);
        QVERIFY(!refused && refused.error().code == Code::usage);
        const auto nowhere = export_figure(picture, base / "none" / "f.png", theme, options);
        QVERIFY(!nowhere && nowhere.error().code == Code::io);
    }

    void provenance_is_read_back() {
        const QTemporaryDir folder;
        Heatmap map;
        map.values = make_matrix(2, 2, {0.1F, 0.2F, 0.3F, 0.4F});
        const Json told{{"model", "default"},
                        {"weights_hash", "ab12"},
                        {"prompt", "a < b & \"c\" – Ω ]]> \n(x\\y)"},
                        {"view", {{"page", "Attention"}, {"place", {{"layer", 3}}}}}};
        ExportOptions options;
        options.title = "map";
        options.provenance = told;
        for (const char* name : {"f.svg", "f.pdf", "f.png"}) {
            const std::filesystem::path file = folder.filePath(name).toStdString();
            QVERIFY(export_figure(map, file, make_theme(false), options));
            const auto read = read_provenance(file);
            QVERIFY2(read.has_value(), read ? "" : read.error().message.c_str());
            QCOMPARE(QString::fromStdString(dump_json(*read)), QString::fromStdString(dump_json(told)));
        }
        // A picture from elsewhere, a file that is none, a file of another kind: a sentence each.
        const QString foreign = folder.filePath("foreign.png");
        QVERIFY(QImage(4, 4, QImage::Format_RGB32).save(foreign));
        QCOMPARE(read_provenance(foreign.toStdString()).error().code, Code::unsupported);
        QFile svg(folder.filePath("foreign.svg"));
        QVERIFY(svg.open(QIODevice::WriteOnly) && svg.write("<svg><desc>by hand</desc></svg>") > 0);
        svg.close();
        QCOMPARE(read_provenance(svg.fileName().toStdString()).error().code, Code::unsupported);
        QCOMPARE(read_provenance(folder.filePath("none.pdf").toStdString()).error().code, Code::io);
        QCOMPARE(read_provenance("notes.txt").error().code, Code::usage);
    }

    void a_column_fills_its_room() {
        const Theme theme = make_theme(false);
        Column column;
        for (int i = 0; i < 2; ++i) {
            auto map = std::make_shared<Heatmap>();
            map->values = make_matrix(8, 8, std::vector<float>(64, 0.5F));
            column.parts.push_back(map);
        }
        const auto bottom = [&](double width) {
            double out = 0;
            for (const QRectF& place : column.places({0, 0}, width, theme))
                out = std::max(out, place.bottom());
            return out;
        };
        column.fill({1800, 900}, theme);
        QVERIFY(column.magnified > 1 && bottom(1800) <= 900);
        column.fill({300, 560}, theme); // a little too large: shrinks rather than scrolls
        QVERIFY(column.magnified < 1 && bottom(300) <= 560);
        column.fill({600, 100}, theme); // far too large: scrolls at its own size
        QCOMPARE(column.magnified, 1.0);
    }

    void words_shrink_beside_numbers() {
        const Theme theme = make_theme(false);
        Card card;
        card.text = QString("word ").repeated(30);
        QVERIFY(card.height_at(200, theme) > card.height_at(500, theme));
        QVERIFY(card.preferred_size(theme).width() <= 560);
    }

    void a_lens_is_a_grid_of_tokens() {
        const Theme theme = make_theme(false);
        engine::ResultValue result{"top", "table", {}, {}, {}, {}};
        const auto add = [&](int position, int layer, int rank, const char* token) {
            result.json.push_back({{"row", 0},
                                   {"position", position},
                                   {"layer", layer},
                                   {"rank", rank},
                                   {"id", 7},
                                   {"token", token},
                                   {"logit", 1.5},
                                   {"prob", 0.25}});
        };
        for (int layer = 0; layer < 3; ++layer)
            for (int rank = 0; rank < 2; ++rank)
                add(4, layer, rank, rank == 0 ? " ship" : " sea");
        auto grid = std::dynamic_pointer_cast<TokenGrid>(figure_for(result, theme));
        QVERIFY(grid != nullptr);
        QCOMPARE(grid->columns, QStringList({"0", "1"}));
        QCOMPARE(grid->csv().section('\n', 2, 2), QString("0,4,1,7,·sea,1.5,0.25"));
        const QRectF in(0, 0, 500, 300);
        QString said;
        for (double x = 41; x < 400 && said.isEmpty(); x += 5)
            said = grid->describe({x, 100}, in, theme);
        QVERIFY2(said.contains("position 4 · rank 0 = ·ship"), qPrintable(said));
        // Several positions: the first of each.
        for (int layer = 0; layer < 3; ++layer)
            add(6, layer, 0, "x");
        grid = std::dynamic_pointer_cast<TokenGrid>(figure_for(result, theme));
        QCOMPARE(grid->columns, QStringList({"4", "6"}));
        QCOMPARE(grid->spot_at({60, 100}, in, theme).query, 4);
        // Rows of several prompts are a table as any other.
        result.json.front()["row"] = 1;
        QVERIFY(!std::dynamic_pointer_cast<TokenGrid>(figure_for(result, theme)));
    }

    void ticks_keep_apart_on_a_short_bar() {
        // All that a bar as high as one cell has room for: its ends.
        const Theme theme = make_theme(false);
        ColourScale scale;
        QImage image(120, 80, QImage::Format_ARGB32_Premultiplied);
        image.fill(theme.panel);
        QPainter painter(&image);
        paint_colour_bar(painter, QRectF(0, 0, 60, 62), scale, false, theme);
        painter.end();
        int lines = 0; // rows of ink right of the bar's ticks, in runs
        bool before = false;
        for (int y = 20; y < 80; ++y) {
            bool ink = false;
            for (int x = 16; x < 60; ++x)
                ink = ink || image.pixelColor(x, y) != theme.panel;
            lines += ink && !before;
            before = ink;
        }
        QCOMPARE(lines, 2);
    }

    void long_texts_are_cut_between_letters() {
        const QFont font = make_theme(false).font();
        const QString family = QString::fromUtf8("👩‍🚀").repeated(20);
        const QString cut = elided(family, font, 80);
        QVERIFY(cut.size() < family.size() && cut.contains(QChar(0x2026)));
        for (const QString& side : cut.split(QChar(0x2026)))
            QCOMPARE(side.size() % 5, 0); // each such letter is five code units
        QCOMPARE(elided("short", font, 500), QString("short"));
    }

    void every_kind_has_a_picture_data() {
        QTest::addColumn<QString>("kind");
        for (const char* kind : {"matrix", "series", "table", "scores", "histogram", "graph", "stack",
                                 "features", "text", "number"})
            QTest::newRow(kind) << kind;
    }
    void every_kind_has_a_picture() {
        QFETCH(QString, kind);
        const Theme theme = make_theme(true);
        engine::ResultValue result;
        result.name = "some_result";
        result.kind = kind.toStdString();
        if (kind == "stack")
            result.axes = {{"layer", 2, {}}, {"head", 3, {}}, {"query", 4, {}}, {"key", 4, {}}};
        else if (kind == "matrix")
            result.axes = {{"layer", 2, {}}, {"head", 3, {}}};
        else
            result.axes = {{"pos", 5, {"a", " b", "c", "d", "\n"}}};
        std::int64_t size = 1;
        for (const auto& axis : result.axes)
            size *= axis.size;
        for (std::int64_t i = 0; i < size; ++i)
            result.data.push_back(static_cast<double>(i) / static_cast<double>(size));
        const Json rows =
            Json::array({Json{{"layer", 0}, {"token", " ship"}}, Json{{"layer", 1}, {"token", "x"}}});
        result.json = kind == "graph"  ? Json{{"nodes", Json::array()}, {"edges", rows}}
                      : kind == "text" ? Json("words")
                                       : rows;
        const PicturePtr picture = figure_for(result, theme);
        QVERIFY(picture);
        const QSizeF size_of = picture->preferred_size(theme);
        QImage image(size_of.toSize(), QImage::Format_ARGB32_Premultiplied);
        image.fill(theme.panel);
        const QImage blank = image;
        QPainter painter(&image);
        picture->paint(painter, QRectF(QPointF(0, 0), size_of), theme);
        painter.end();
        QVERIFY(image != blank);
        QVERIFY(picture->csv().count('\n') >= 2);
    }
};

QTEST_MAIN(TestFigure)
#include "test_figure.moc"
