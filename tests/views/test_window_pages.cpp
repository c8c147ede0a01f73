// Pages of the window that measure: heads, sinks, a training, on the default model.
#include <QLabel>
#include <QPlainTextEdit>
#include <QPushButton>
#include <QSignalSpy>
#include <QTabWidget>
#include <QTemporaryDir>
#include <QtTest>
#include <algorithm>
#include <cmath>

#include "app/window/main_window.h"
#include "app/window/prompt_sets.h"
#include "tests/views/window_under_test.h"
#include "views/figure/column.h"
#include "views/figure/curves.h"
#include "views/figure/heatmap.h"
#include "views/figure/scatter.h"
#include "views/figure/sink_map.h"
#include "views/figure/what_if.h"

using namespace vitrine;
using namespace vitrine::window;
using vitrine::test::in_folder;
using vitrine::test::patience_ms;

namespace {

QString words_on(const QWidget& page) {
    QStringList out;
    for (const QLabel* label : page.findChildren<QLabel*>())
        if (label->isVisible()) out << label->text();
    return out.join(QLatin1Char(' '));
}

} // namespace

class TestWindowPages : public QObject {
    Q_OBJECT

private slots:
    void initTestCase() { test::prepare("vitrine-test-pages"); }

    void heads_are_measured_on_the_text_on_random_ids_and_on_a_file() {
        const QTemporaryDir folder;
        MainWindow window(in_folder(folder));
        window.resize(1366, 768);
        window.show();
        QTRY_VERIFY_WITH_TIMEOUT(window.idle() && window.desk().a(), patience_ms);
        views::HeadsPage& page = window.heads();
        QSignalSpy finished(&window.heads_feed(), &HeadsFeed::finished);
        window.show_page("Heads");
        QTRY_VERIFY_WITH_TIMEOUT(finished.count() == 1 && window.idle(), patience_ms);
        QVERIFY(page.has_results());
        page.choose_metric("sink");
        const auto map = std::dynamic_pointer_cast<figure::Heatmap>(page.map_canvas()->picture());
        QVERIFY(map);
        QCOMPARE(map->values.rows, window.desk().a()->layers);
        const views::RunPtr run = window.desk().a();
        double sink = 0; // of L0 H0, from the run that the window shows
        for (int query = 0; query < run->size(); ++query)
            sink += run->pattern(0, 0).at(query, 0) / run->size();
        QVERIFY(std::abs(map->values.at(0, 0) - sink) < 1e-5);
        // A click on a point of the scatter selects its head everywhere.
        views::FigureCanvas* canvas = page.scatter_canvas();
        const auto scatter = std::dynamic_pointer_cast<figure::Scatter>(canvas->picture());
        QVERIFY(scatter);
        const std::size_t far = scatter->outstanding().front();
        const figure::Scatter::Point& point = scatter->points[far];
        const QPointF at = scatter->frame(canvas->frame(), window.desk().theme()).at(point.x, point.y);
        QTest::mouseClick(canvas, Qt::LeftButton, {}, at.toPoint());
        QCOMPARE(window.desk().selection.place().layer, point.layer);
        QCOMPARE(window.desk().selection.place().head, point.head);

        page.choose_rows(views::HeadsPage::Rows::random);
        QTRY_VERIFY_WITH_TIMEOUT(finished.count() == 2 && window.idle(), patience_ms);
        QVERIFY(!page.map_canvas()->source().command.contains("--ids"));
        QFile file(folder.filePath("prompts.txt"));
        QVERIFY(file.open(QIODevice::WriteOnly));
        file.write("The sea. The sea\nA ship\n");
        file.close();
        page.use_file(file.fileName());
        QTRY_VERIFY_WITH_TIMEOUT(finished.count() == 3 && window.idle(), patience_ms);
        QVERIFY(page.map_canvas()->source().command.contains("--prompts"));
        const auto results = page.map_canvas()->source().results();
        const auto* note = views::find_result(results, "note");
        QVERIFY(note && note->json.get<std::string>().find("leave out 1 rows") != std::string::npos);
        page.use_file(folder.filePath("nowhere.txt"));
        QTRY_VERIFY_WITH_TIMEOUT(finished.count() == 4 && window.idle(), patience_ms);
        QVERIFY(!page.has_results()); // one sentence stands in its place
    }

    void the_map_of_sinks_follows_the_key() {
        const QTemporaryDir folder;
        MainWindow window(in_folder(folder));
        window.resize(1366, 768);
        window.show();
        QTRY_VERIFY_WITH_TIMEOUT(window.idle() && window.desk().a(), patience_ms);
        window.show_page("Sinks");
        window.desk().selection.set_key(0);
        QTRY_VERIFY_WITH_TIMEOUT(window.idle() && window.sinks().canvas()->picture(), patience_ms);
        const auto map = [&] {
            return std::dynamic_pointer_cast<figure::SinkMap>(window.sinks().canvas()->picture());
        };
        QVERIFY(map());
        QCOMPARE(map()->key(), 0);
        QVERIFY(map()->count(0) > 0); // the default model sinks at its BOS
        // The key is chosen anywhere: the map follows at once.
        window.desk().selection.set_query(6);
        window.desk().selection.set_key(4);
        QCOMPARE(map()->key(), 4);
        window.desk().selection.set_key(0);
        QTRY_VERIFY_WITH_TIMEOUT(window.idle(), patience_ms);
    }

    void a_change_of_the_sink_is_switched_on_and_off() {
        const QTemporaryDir folder;
        MainWindow window(in_folder(folder));
        window.resize(1366, 768);
        window.show();
        QTRY_VERIFY_WITH_TIMEOUT(window.idle() && window.desk().a(), patience_ms);
        window.show_page("Sinks");
        window.desk().selection.set_key(0);
        // A change is a row of the common list, and a click takes it back.
        QTRY_VERIFY_WITH_TIMEOUT(window.idle() && !window.sinks().changes().empty(), patience_ms);
        views::FigureCanvas* canvas = window.sinks().beside(0)->canvas();
        const auto picture = std::dynamic_pointer_cast<figure::WhatIf>(canvas->picture());
        QVERIFY(picture);
        int zero = -1;
        for (std::size_t row = 0; row < picture->rows.size(); ++row)
            if (picture->rows[row].name == "zero-value") zero = static_cast<int>(row);
        QVERIFY(zero >= 0);
        QVERIFY(std::isfinite(picture->rows[static_cast<std::size_t>(zero)].delta_loss));
        int y = 0;
        while (picture->row_at(QPointF(60, y), canvas->frame()) != zero && y < canvas->height())
            ++y;
        QTest::mouseClick(canvas, Qt::LeftButton, {}, QPoint(60, y + 4));
        QTRY_VERIFY_WITH_TIMEOUT(window.idle() && window.desk().b_is_edited(), patience_ms);
        QCOMPARE(window.desk().edits.active(), picture->rows[static_cast<std::size_t>(zero)].edits);
        // What it does is what the list of changes says it does.
        const double measured = window.desk().b()->loss - window.desk().a()->loss;
        QVERIFY(std::abs(measured - picture->rows[static_cast<std::size_t>(zero)].delta_loss) < 1e-4);
        window.sinks().switch_change("zero-value");
        QTRY_VERIFY_WITH_TIMEOUT(window.idle() && !window.desk().b_is_edited(), patience_ms);
        QVERIFY(window.desk().edits.all().empty());
    }

    void a_training_is_shown_beside_the_model() {
        const QTemporaryDir folder;
        MainWindow window(in_folder(folder));
        window.show();
        QTRY_VERIFY_WITH_TIMEOUT(window.idle() && window.desk().a(), patience_ms);
        QSignalSpy finished(&window.training(), &TrainingPage::finished);
        window.show_training();
        QTRY_VERIFY_WITH_TIMEOUT(finished.count() == 1 && window.idle(), patience_ms);
        QVERIFY(window.training().folder().endsWith("vitrine-tiny-sibling"));
        const auto column = std::dynamic_pointer_cast<figure::Column>(window.training().canvas()->picture());
        QVERIFY(column);
        const auto curves = std::dynamic_pointer_cast<figure::Curves>(column->parts.front());
        QVERIFY(curves);
        QCOMPARE(curves->lines.size(), std::size_t{8}); // two layers of four heads
        QCOMPARE(curves->lines[curves->strongest().front()].name, QString("L1 H2")); // its README says so
        // A folder that holds no training is refused in words, and the model stays open.
        window.training().use_folder(folder.path());
        QTRY_VERIFY_WITH_TIMEOUT(finished.count() == 2 && window.idle(), patience_ms);
        QVERIFY(words_on(window.training()).contains("config.json"));
        QVERIFY(window.bench().model());
    }
    // Whatever time it is stopped at, the page says so and goes on when asked.
    void a_training_that_is_stopped_says_so() {
        const QTemporaryDir folder;
        MainWindow window(in_folder(folder));
        window.show();
        QTRY_VERIFY_WITH_TIMEOUT(window.idle() && window.desk().a(), patience_ms);
        TrainingPage& page = window.training();
        QSignalSpy finished(&page, &TrainingPage::finished);
        window.show_training();
        QTRY_VERIFY_WITH_TIMEOUT(!window.bench().jobs().empty(), patience_ms);
        window.bench().cancel_all();
        QCOMPARE(finished.count(), 1);
        QVERIFY(words_on(page).contains("Stopped"));
        QTRY_VERIFY_WITH_TIMEOUT(window.idle(), patience_ms);
        QVERIFY(!page.canvas()->picture()); // nothing came after all
        QPushButton* again = nullptr;
        for (QPushButton* button : page.findChildren<QPushButton*>())
            if (button->isVisible() && button->text() == "Run again") again = button;
        QVERIFY(again);
        QTest::mouseClick(again, Qt::LeftButton);
        QTRY_VERIFY_WITH_TIMEOUT(finished.count() == 2 && window.idle(), patience_ms);
        QVERIFY(page.canvas()->picture());
    }

    void the_sink_rate_is_measured_on_a_set_of_prompts() {
        const QTemporaryDir folder;
        const auto sets = shipped_prompt_sets();
        QVERIFY(sets.size() >= 2);
        {
            MainWindow window(in_folder(folder));
            window.resize(1366, 768);
            window.show();
            QTRY_VERIFY_WITH_TIMEOUT(window.idle() && window.desk().a(), patience_ms);
            window.desk().selection.set_key(0); // which the panels follow
            window.show_page("Sinks");
            QTRY_VERIFY_WITH_TIMEOUT(window.idle(), patience_ms);
            AnalysisPage* page = window.sinks().main();
            page->choose("sink-rate");
            QTRY_VERIFY_WITH_TIMEOUT(window.idle() && page->shown() && page->shown()->id == "sink-rate",
                                     patience_ms);
            const auto rate = [&] { return page->shown()->results.front().data.front(); };
            QVERIFY(!std::isfinite(rate())); // the example is too short for a rate
            auto* box = page->findChild<views::PromptSetBox*>();
            QVERIFY(box && box->isVisible());
            QSignalSpy finished(page, &AnalysisPage::finished);
            box->setCurrentIndex(box->findData(sets.front().file));
            QTRY_VERIFY_WITH_TIMEOUT(finished.count() == 1 && window.idle(), patience_ms);
            QVERIFY(page->shown());
            QVERIFY(rate() > 0 && rate() < 100);
            const auto note = std::find_if(page->shown()->results.begin(), page->shown()->results.end(),
                                           [](const auto& result) { return result.name == "note"; });
            QVERIFY(note->json.get<std::string>().starts_with("Measured on prose.txt (100 rows)."));
            QVERIFY(page->canvas()->source().command.contains("--prompts"));
            QVERIFY(!page->canvas()->source().command.contains("--ids"));
            // It does not hang on the text above.
            window.prompt().set_text("Another text");
            window.runner().set_text("Another text");
            QTRY_VERIFY_WITH_TIMEOUT(window.idle(), patience_ms);
            QCOMPARE(finished.count(), 1);
            // Stopped on its way, it says so; a file that is not there is refused in a sentence.
            page->measure(sets.back().file);
            window.bench().cancel_all();
            QVERIFY(words_on(*page).contains("Stopped"));
            QTRY_VERIFY_WITH_TIMEOUT(window.idle(), patience_ms);
            QVERIFY(!page->shown());
            page->measure(folder.filePath("nowhere.txt"));
            QTRY_VERIFY_WITH_TIMEOUT(window.idle() && words_on(*page).contains("nowhere.txt"), patience_ms);
            page->measure(sets.front().file);
            QTRY_VERIFY_WITH_TIMEOUT(window.idle() && page->shown(), patience_ms);
            window.close();
        }
        MainWindow again(in_folder(folder)); // and is remembered
        again.show();
        QTRY_VERIFY_WITH_TIMEOUT(again.idle() && again.desk().a(), patience_ms);
        QCOMPARE(again.sinks().main()->measured(), sets.front().file);
        QTRY_VERIFY_WITH_TIMEOUT(again.idle() && again.sinks().main()->shown(), patience_ms);
    }
};

QTEST_MAIN(TestWindowPages)
#include "test_window_pages.moc"
