// Pages of the window that measure: heads, sinks, a training, on the default model.
#include <QLabel>
#include <QListWidget>
#include <QPlainTextEdit>
#include <QPushButton>
#include <QSignalSpy>
#include <QTabWidget>
#include <QTemporaryDir>
#include <QtTest>
#include <algorithm>
#include <cmath>

#include "app/window/edit_texts.h"
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

const std::vector<figure::WhatIf::Row>& rows_of(const views::FigureCanvas& canvas) {
    static const std::vector<figure::WhatIf::Row> none;
    const auto picture = std::dynamic_pointer_cast<figure::WhatIf>(canvas.picture());
    return picture ? picture->rows : none;
}

/// Of a change; without a name if there is none.
figure::WhatIf::Row row_of(const views::FigureCanvas& canvas, const QString& change) {
    for (const figure::WhatIf::Row& row : rows_of(canvas))
        if (row.name == change) return row;
    return {};
}

void click_row(views::FigureCanvas& canvas, const QString& change) {
    const auto picture = std::dynamic_pointer_cast<figure::WhatIf>(canvas.picture());
    int row = 0;
    while (rows_of(canvas).at(static_cast<std::size_t>(row)).name != change)
        ++row;
    int y = 0;
    while (y < canvas.height() && picture->row_at(QPointF(60, y), canvas.frame()) != row)
        ++y;
    QVERIFY(y + 4 < canvas.height() && canvas.visibleRegion().contains(QPoint(60, y + 4)));
    QTest::mouseClick(&canvas, Qt::LeftButton, {}, QPoint(60, y + 4));
}

/// KL(clean ‖ changed) after the shown text's last token, in float64, from runs made beside the window's.
double kl_of_next(MainWindow& window, const QStringList& changes) {
    run::RunRow row;
    for (const figure::Token& token : window.desk().a()->tokens) {
        row.ids.push_back(token.id);
        row.special.push_back(token.special);
    }
    std::vector<std::vector<double>> log_p;
    for (const QStringList& texts : {QStringList(), changes}) {
        bool done = false;
        window.bench().post(
            &window, {}, "compare",
            [&, model = window.bench().model()](engine::Engine& engine, const CancelToken& cancel,
                                                const Progress& progress) -> Result<engine::RunRecord> {
                VITRINE_ASSIGN(const auto read, changes_of(*model, texts, tokenizer::Specials::by_template));
                run::RunSpec spec;
                spec.rows = {row};
                spec.edits = read.edits;
                spec.attention = read.attention;
                spec.logits = true;
                return engine.run(*model, spec, cancel, progress, false);
            },
            [&](const Result<engine::RunRecord>& answer) {
                done = true;
                if (!answer) return;
                const auto& logits = answer->result.rows.front().logits.data;
                const double largest = *std::max_element(logits.begin(), logits.end());
                double sum = 0;
                for (const float logit : logits)
                    sum += std::exp(double{logit} - largest);
                log_p.emplace_back();
                for (const float logit : logits)
                    log_p.back().push_back(double{logit} - largest - std::log(sum));
            });
        if (!QTest::qWaitFor([&] { return done; }, patience_ms)) return std::nan("");
    }
    if (log_p.size() < 2) return std::nan("");
    double out = 0;
    for (std::size_t i = 0; i < log_p[0].size(); ++i)
        out += std::exp(log_p[0][i]) * (log_p[0][i] - log_p[1][i]);
    return out;
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

    void a_change_of_the_sink_is_switched_on_and_off_data() {
        QTest::addColumn<QString>("change");
        QTest::addColumn<bool>("policy");
        QTest::newRow("value") << "zero-value" << false;
        QTest::newRow("window") << "window" << true;
        QTest::newRow("sinks and window") << "sinks+window" << true;
    }
    void a_change_of_the_sink_is_switched_on_and_off() {
        QFETCH(QString, change);
        QFETCH(bool, policy);
        const QTemporaryDir folder;
        MainWindow window(in_folder(folder));
        window.resize(1366, 768);
        window.show();
        QTRY_VERIFY_WITH_TIMEOUT(window.idle() && window.desk().a(), patience_ms);
        window.show_page("Sinks");
        window.desk().selection.set_key(0);
        QTRY_VERIFY_WITH_TIMEOUT(window.idle() && !window.sinks().changes().empty(), patience_ms);
        window.sinks().beside(0)->follow("window", "6"); // the text is short
        window.sinks().beside(0)->follow("sinks", "2");
        views::FigureCanvas* canvas = window.sinks().beside(0)->canvas();
        QTRY_VERIFY_WITH_TIMEOUT(window.idle() && row_of(*canvas, "window").edits.value(0) ==
                                                      QString("attention window=6"),
                                 patience_ms);
        // A change is a row of the common list, and a click switches it on. All of them are in sight.
        const figure::WhatIf::Row row = row_of(*canvas, change);
        QVERIFY(std::isfinite(row.delta_loss) && std::abs(row.delta_loss) > 1e-3);
        click_row(*canvas, change);
        QTRY_VERIFY_WITH_TIMEOUT(window.idle() && window.desk().b_is_edited(), patience_ms);
        QCOMPARE(window.desk().edits.active(), row.edits);
        QVERIFY(row_of(*canvas, change).on);
        // What it does is what the list of changes says it does: loss, next token, continuation.
        const views::RunPtr clean = window.desk().a(), changed = window.desk().b();
        QVERIFY(std::abs(changed->loss - clean->loss - row.delta_loss) < 1e-4);
        QVERIFY(std::abs(kl_of_next(window, row.edits) - row.kl) < 1e-4 * std::max(1.0, row.kl));
        window.desk().set_side(views::Side::b);
        QString text;
        connect(&window.runner(), &Runner::generated, this, [&](const QString& now) { text = now; });
        window.runner().generate(16);
        QTRY_VERIFY_WITH_TIMEOUT(window.idle() && !text.isEmpty(), patience_ms);
        QCOMPARE(text.trimmed(), QString(row.text).replace(QChar(0x23CE), '\n').trimmed());
        if (policy) {
            // Every view of B sees it: the pattern, the map of sinks and the command that gives it.
            const int last = changed->size() - 1, first = change == "window" ? 0 : 2;
            QVERIFY(last > 9);
            for (int key = 0; key <= last; ++key) {
                const bool hidden = key >= first && key + 6 <= last;
                QCOMPARE(changed->pattern(1, 1).at(last, key) == 0, hidden);
            }
            const auto command = [&] { return window.sinks().canvas()->source().command; };
            const QString wanted =
                QStringLiteral("--attention '%1'").arg(views::policy_in(row.edits.front()));
            QTRY_VERIFY_WITH_TIMEOUT(window.idle() && command().contains(wanted), patience_ms);
        }
        // It stands in the list of interventions, and is taken off there.
        auto* list = window.edits().findChild<QListWidget*>();
        QCOMPARE(list->count(), static_cast<int>(row.edits.size()));
        for (int i = 0; i < list->count(); ++i)
            list->item(i)->setCheckState(Qt::Unchecked);
        QTRY_VERIFY_WITH_TIMEOUT(window.idle() && !window.desk().b_is_edited(), patience_ms);
        QVERIFY(!row_of(*canvas, change).on);
        window.sinks().switch_change(change);
        window.sinks().switch_change(change);
        QTRY_VERIFY_WITH_TIMEOUT(window.idle() && !window.desk().b_is_edited(), patience_ms);
        QVERIFY(window.desk().edits.all().empty());
    }

    void an_attention_policy_stays_with_the_session_and_replays() {
        const QTemporaryDir folder;
        const QString window_only = "attention window=5", both = "attention window=5 sinks=2 reindexed";
        double loss = 0;
        {
            MainWindow window(in_folder(folder));
            window.show();
            QTRY_VERIFY_WITH_TIMEOUT(window.idle() && window.desk().a(), patience_ms);
            views::EditList& edits = window.desk().edits;
            QVERIFY(edits.add("attention windo=5").contains("unknown"));
            QVERIFY(edits.add("attention window=5 heads=L99H0").contains("There is no head"));
            QVERIFY(edits.add("L1H1 zero").isEmpty());
            QVERIFY(edits.add(window_only).isEmpty());
            QVERIFY(edits.add(both).isEmpty()); // a run has one: the other goes off
            QCOMPARE(edits.active(), QStringList({"L1H1 zero", both}));
            edits.set_on(1, true);
            QCOMPARE(edits.active(), QStringList({"L1H1 zero", window_only}));
            edits.add_all({both});
            QCOMPARE(edits.active(), QStringList({"L1H1 zero", both}));
            QTRY_VERIFY_WITH_TIMEOUT(window.idle() && window.desk().b_is_edited() &&
                                         window.desk().b()->edits.contains(both),
                                     patience_ms);
            window.runner().commit();
            QTRY_VERIFY_WITH_TIMEOUT(window.idle() && window.desk().b()->step > 0, patience_ms);
            window.runner().generate(3);
            QTRY_VERIFY_WITH_TIMEOUT(window.idle(), patience_ms);
            window.show_page("Sinks");
            QTRY_VERIFY_WITH_TIMEOUT(window.idle() && window.sinks().canvas()->picture(), patience_ms);
            window.analysis_page("Sinks")->run(true);
            QTRY_VERIFY_WITH_TIMEOUT(window.idle(), patience_ms);
            loss = window.desk().b()->loss;
            // The list of steps is read anew whenever one is added.
            const auto edits_of_step = [&] {
                const views::RunEntry* entry = window.keeper().entry(window.desk().b()->step);
                return entry && entry->when.contains("edited") ? entry->edits : QStringList();
            };
            QTRY_COMPARE_WITH_TIMEOUT(edits_of_step(), QStringList({"L1H1 zero", both}), patience_ms);
            QSignalSpy replayed(&window.session_actions(), &SessionActions::finished);
            window.session_actions().replay();
            QTRY_VERIFY_WITH_TIMEOUT(replayed.count() == 1, patience_ms);
            bool said = false;
            for (const QLabel* label : window.session_page().findChildren<QLabel*>())
                said = said || label->text().contains("0 drifted, 0 damaged");
            QVERIFY(said);
            QVERIFY(!window.session_page().drift_csv().contains("within"));
            window.close();
        }
        MainWindow again(in_folder(folder));
        again.show();
        QTRY_VERIFY_WITH_TIMEOUT(again.idle() && again.desk().b_is_edited(), patience_ms);
        QCOMPARE(again.desk().edits.active(), QStringList({"L1H1 zero", both}));
        QCOMPARE(again.desk().b()->loss, loss);
        // An analysis that compares policies itself is refused on B, in words.
        again.show_page("Analyses");
        AnalysisPage* page = again.analysis_page("Analyses");
        page->choose("streaming");
        page->set_values({{"window", "5"}});
        again.desk().set_side(views::Side::b);
        page->run(false);
        QTRY_VERIFY_WITH_TIMEOUT(again.idle() && words_on(*page).contains("sets itself which keys"),
                                 patience_ms);
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
