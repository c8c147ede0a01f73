// The window on the default model: a prompt becomes a picture while it is typed, and is there again next
// time.
#include <QAbstractButton>
#include <QAction>
#include <QLabel>
#include <QMimeData>
#include <QPlainTextEdit>
#include <QScrollBar>
#include <QSignalSpy>
#include <QTabWidget>
#include <QTemporaryDir>
#include <QtTest>
#include <cmath>

#include "app/window/exporter.h"
#include "app/window/main_window.h"
#include "tests/views/window_under_test.h"
#include "views/figure/column.h"
#include "views/figure/heatmap.h"

using namespace vitrine;
using namespace vitrine::window;
using vitrine::test::in_folder;
using vitrine::test::patience_ms;

class TestWindow : public QObject {
    Q_OBJECT

private slots:
    void initTestCase() { test::prepare("vitrine-test"); }

    void search_ranks_whole_words_first() {
        QVERIFY(match_rank("sink", "Sink rate") < match_rank("sink", "Attention sinks"));
        QVERIFY(match_rank("skr", "Sink rate") >= 100);
        QCOMPARE(match_rank("xyz", "Sink rate"), -1);
        QCOMPARE(match_rank("", "anything"), 0);
    }

    void types_and_comes_back() {
        const QTemporaryDir folder;
        QString text;
        views::Place place;
        {
            MainWindow window(in_folder(folder));
            window.resize(1366, 768);
            window.show();
            // The example has been answered when nobody has done anything yet.
            QTRY_VERIFY_WITH_TIMEOUT(window.idle() && window.desk().a(), patience_ms);
            const views::RunPtr example = window.desk().a();
            QVERIFY(example->has_patterns());
            QVERIFY(example->size() > 8);

            QSignalSpy arrived(&window.runner(), &Runner::arrived);
            QTest::keyClicks(window.prompt().editor(), " sea");
            QTRY_VERIFY_WITH_TIMEOUT(window.desk().a() != example && window.idle(), patience_ms);
            text = window.prompt().editor()->toPlainText();
            QVERIFY(text.endsWith(" sea"));
            const views::RunPtr run = window.desk().a();
            QCOMPARE(run->prompt, text);
            for (int layer = 0; layer < run->layers; ++layer)
                for (int query = 0; query < run->size(); ++query) {
                    double sum = 0;
                    for (int key = 0; key <= query; ++key)
                        sum += run->pattern(layer, 0).at(query, key);
                    QVERIFY(std::abs(sum - 1) < 1e-5);
                }
            QCOMPARE(static_cast<int>(run->next.size()), run->size());

            QSignalSpy recorded(&window.runner(), &Runner::recorded);
            window.runner().commit();
            QTRY_VERIFY_WITH_TIMEOUT(recorded.count() > 0 && window.idle(), patience_ms);
            window.desk().selection.set({2, 3, 4, 1});
            place = window.desk().selection.place();
            window.show_page("Lens");
            QTRY_VERIFY_WITH_TIMEOUT(window.idle(), patience_ms);
            window.close();
        }
        MainWindow again(in_folder(folder));
        again.show();
        QTRY_VERIFY_WITH_TIMEOUT(again.idle() && again.desk().a(), patience_ms);
        QCOMPARE(again.prompt().editor()->toPlainText(), text);
        QCOMPARE(again.desk().selection.place(), place);
        QVERIFY(again.analysis_page("Lens")->isVisible());
        QVERIFY(again.desk().a()->step > 0); // it is the step it was, not a new one
    }

    void interventions_make_b_and_come_back() {
        const QTemporaryDir folder;
        views::Place place;
        {
            MainWindow window(in_folder(folder));
            window.show();
            QTRY_VERIFY_WITH_TIMEOUT(window.idle() && window.desk().a(), patience_ms);
            const views::RunPtr clean = window.desk().a();
            views::EditList& edits = window.desk().edits;
            QVERIFY(edits.add("L0H0 halve").contains("halve"));           // the grammar's own sentence
            QVERIFY(edits.add("blocks.99.hook_mlp_out zero").size() > 0); // no such hook
            QVERIFY(edits.add("blocks.*.hook_mlp_out zero").isEmpty());
            QTRY_VERIFY_WITH_TIMEOUT(window.idle() && window.desk().b_is_edited(), patience_ms);
            QCOMPARE(window.desk().side(), views::Side::b);
            QCOMPARE(window.desk().a()->next.back().logsumexp, clean->next.back().logsumexp);
            QVERIFY(window.desk().b()->next.back().logsumexp != clean->next.back().logsumexp);
            QCOMPARE(window.desk().b()->edits, QStringList("blocks.*.hook_mlp_out zero"));

            // Every head patched from a run of the same text: nothing changes.
            edits.clear();
            QTRY_VERIFY_WITH_TIMEOUT(window.idle() && !window.desk().b(), patience_ms);
            QCOMPARE(window.desk().side(), views::Side::a);
            window.pin_current_as_b();
            QVERIFY(edits.add("blocks.*.attn.hook_z row=0 from row=1").isEmpty());
            QTRY_VERIFY_WITH_TIMEOUT(window.idle() && window.desk().b_is_edited(), patience_ms);
            QCOMPARE(window.desk().b()->next.back().logsumexp, clean->next.back().logsumexp);
            QCOMPARE(window.desk().b()->beside.size(), static_cast<std::size_t>(clean->size()));
            // An edit that this text has no place for is said, and A is shown all the same.
            edits.clear();
            QVERIFY(edits.add("L0H0 pos=500 zero").isEmpty());
            QTRY_VERIFY_WITH_TIMEOUT(window.idle() && !edits.problem().isEmpty(), patience_ms);
            QVERIFY(!window.desk().b_is_edited());

            edits.set_all({{"L1H1 zero", true}, {"L2H2 zero", false}});
            QTRY_VERIFY_WITH_TIMEOUT(window.idle() && window.desk().b_is_edited(), patience_ms);
            window.desk().set_side(views::Side::difference);
            window.desk().selection.set({5, 2, 6, 3});
            place = window.desk().selection.place();
            window.show_page("Entropy");
            QTRY_VERIFY_WITH_TIMEOUT(window.idle(), patience_ms);
            window.runner().commit();
            QTRY_VERIFY_WITH_TIMEOUT(window.idle(), patience_ms);
            window.close();
        }
        MainWindow again(in_folder(folder));
        again.show();
        QTRY_VERIFY_WITH_TIMEOUT(again.idle() && again.desk().b_is_edited(), patience_ms);
        QCOMPARE(again.desk().edits.all(),
                 (std::vector<views::Edit>{{"L1H1 zero", true}, {"L2H2 zero", false}}));
        QCOMPARE(again.desk().side(), views::Side::difference);
        QCOMPARE(again.desk().selection.place(), place);
        QCOMPARE(again.page(), QString("Entropy"));
        QVERIFY(again.desk().pinned() != nullptr);
    }

    void what_is_looked_at_is_no_step_and_what_is_run_is() {
        const QTemporaryDir folder;
        MainWindow window(in_folder(folder));
        window.show();
        QTRY_VERIFY_WITH_TIMEOUT(window.idle() && window.desk().a(), patience_ms);
        window.runner().commit();
        const auto kinds = [&] {
            QStringList out;
            for (const views::RunEntry& entry : window.keeper().entries())
                out.prepend(entry.kind);
            return out;
        };
        QTRY_COMPARE_WITH_TIMEOUT(kinds(), QStringList("run"), patience_ms);
        for (const char* name : {"Sinks", "Entropy/1", "Lens"}) {
            QSignalSpy finished(window.analysis_page(name), &AnalysisPage::finished);
            window.show_page(QString(name).section('/', 0, 0));
            QTRY_VERIFY_WITH_TIMEOUT(finished.count() > 0 && window.idle(), patience_ms);
        }
        QCOMPARE(kinds(), QStringList("run"));
        window.analysis_page("Lens")->run(true);
        QTRY_COMPARE_WITH_TIMEOUT(kinds(), QStringList({"run", "analyze"}), patience_ms);
        window.runner().generate(3);
        QTRY_COMPARE_WITH_TIMEOUT(kinds().mid(0, 3), QStringList({"run", "analyze", "generate"}),
                                  patience_ms);
        QTRY_VERIFY_WITH_TIMEOUT(window.idle(), patience_ms);

        // The timeline, one step's spec, and a replay of it all.
        QCOMPARE(window.session_page().steps_shown(), static_cast<int>(kinds().size()));
        window.session_page().select_step(2);
        QTRY_VERIFY_WITH_TIMEOUT(window.session_page().detail().contains("\"lens\""), patience_ms);
        QSignalSpy replayed(&window.session_actions(), &SessionActions::finished);
        window.session_actions().replay();
        QTRY_VERIFY_WITH_TIMEOUT(replayed.count() == 1, patience_ms);
        bool said = false;
        for (const QLabel* label : window.session_page().findChildren<QLabel*>())
            said = said || label->text().contains("0 drifted, 0 damaged");
        QVERIFY(said);
        // Both tables as CSV, one line a step and a value.
        const QString steps = window.session_page().steps_csv();
        QCOMPARE(steps.count('\n'), window.session_page().steps_shown() + 1);
        QVERIFY(steps.startsWith("step,at,what,about,status,took\n"));
        QVERIFY(window.session_page().drift_csv().contains("/row0/tokens,identical,0,0"));
        const QString file = folder.filePath("steps.csv");
        window.session_actions().write_table(file.toStdString(), steps);
        QFile written(file);
        QVERIFY(written.open(QIODevice::ReadOnly));
        QCOMPARE(QString::fromUtf8(written.readAll()), steps);
        window.restore_step(2);
        QTRY_VERIFY_WITH_TIMEOUT(window.idle() && window.page() == "Analyses", patience_ms);
        QCOMPARE(window.analysis_page("Analyses")->chosen(), QString("lens"));

        // A generation comes back with what was generated.
        const views::RunEntry* generation = nullptr;
        for (const views::RunEntry& entry : window.keeper().entries())
            if (entry.kind == "generate") generation = &entry;
        QVERIFY(generation != nullptr);
        const QString prompt = generation->prompt;
        window.restore_step(generation->step);
        QTRY_VERIFY_WITH_TIMEOUT(window.idle() && window.desk().a()->prompt.size() > prompt.size(),
                                 patience_ms);
        QVERIFY(window.desk().a()->prompt.startsWith(prompt));
        QCOMPARE(window.prompt().editor()->toPlainText(), window.desk().a()->prompt);
    }

    void measures_follow_the_desk_and_their_commands_run() {
        const QTemporaryDir folder;
        MainWindow window(in_folder(folder));
        window.resize(1366, 768);
        window.show();
        QTRY_VERIFY_WITH_TIMEOUT(window.idle() && window.desk().a(), patience_ms);
        const auto shown = [&] { return window.attention().data(); };
        for (const views::Measure measure :
             {views::Measure::score, views::Measure::value_weighted, views::Measure::rollout}) {
            window.attention().choose(measure);
            QTRY_VERIFY_WITH_TIMEOUT(
                window.idle() && shown().measure == measure && shown().said_in_place.isEmpty(), patience_ms);
            const QString command = window.attention().grid_canvas()->source().command;
            QVERIFY2(command.startsWith("vitrine-cli analyze attention"), qPrintable(command));
        }
        double sum = 0; // of a row of the rollout
        for (int key = 0; key < window.desk().a()->size(); ++key)
            sum += shown().pattern(7, 0).at(window.desk().a()->size() - 1, key);
        QVERIFY(std::abs(sum - 1) < 1e-5);
        // Of an edited run the edit is in the command; of a difference there are two.
        window.attention().choose(views::Measure::value_weighted);
        window.desk().edits.add("L1H1 zero");
        const auto command = [&] { return window.attention().grid_canvas()->source().command; };
        QTRY_VERIFY_WITH_TIMEOUT(window.idle() && command().contains("--edit 'L1H1 zero'"), patience_ms);
        window.desk().set_side(views::Side::difference);
        QTRY_VERIFY_WITH_TIMEOUT(window.idle() && command().count("vitrine-cli") == 2, patience_ms);
        QVERIFY(shown().difference && shown().said_in_place.isEmpty());
        window.show_page("Entropy");
        const auto page_command = [&] {
            return window.analysis_page("Entropy/1")->findChild<views::FigureCanvas*>()->source().command;
        };
        QTRY_VERIFY_WITH_TIMEOUT(window.idle() && page_command().count("vitrine-cli") == 2, patience_ms);
        QVERIFY(page_command().section('\n', 1).contains("--edit 'L1H1 zero'"));
    }

    void nothing_is_cut_in_a_small_window() {
        const QTemporaryDir folder;
        MainWindow window(in_folder(folder));
        window.resize(1366, 768);
        window.show();
        QTRY_VERIFY_WITH_TIMEOUT(window.idle() && window.desk().a(), patience_ms);
        window.doors_bar().hide();
        const auto* tabs = window.findChild<QTabBar*>();
        for (const char* page : {"Attention", "Sinks", "Entropy", "Lens", "Session"}) {
            window.show_page(page);
            QTRY_VERIFY_WITH_TIMEOUT(window.idle(), patience_ms);
            QCOMPARE(window.size(), QSize(1366, 768));
            for (int tab = 0; tab < tabs->count(); ++tab)
                QVERIFY(tabs->rect().contains(tabs->tabRect(tab)));
            for (const views::FigureScroll* scroll : window.findChildren<views::FigureScroll*>())
                if (scroll->isVisible())
                    QTRY_VERIFY2_WITH_TIMEOUT(!scroll->verticalScrollBar()->isVisible(), page, 5000);
        }
        // The picture has at least half of the window.
        window.show_page("Attention");
        QTRY_VERIFY_WITH_TIMEOUT(window.idle(), patience_ms);
        const auto share = [&] {
            const QSize grid = window.attention().grid_canvas()->size(),
                        head = window.attention().head_canvas()->size();
            return (grid.width() * grid.height() + head.width() * head.height()) / (1366.0 * 768.0);
        };
        QTRY_VERIFY2_WITH_TIMEOUT(share() >= 0.5, qPrintable(QString::number(share())), 5000);
    }

    void panels_fold_and_keep_half_of_the_page_for_the_main_picture() {
        const QTemporaryDir folder;
        double share = 0;
        {
            MainWindow window(in_folder(folder));
            window.resize(1366, 768);
            window.show();
            QTRY_VERIFY_WITH_TIMEOUT(window.idle() && window.desk().a(), patience_ms);
            window.show_page("Lens");
            QTRY_VERIFY_WITH_TIMEOUT(window.idle(), patience_ms);
            auto* page = window.findChild<QTabWidget*>()->currentWidget();
            auto* panels = qobject_cast<PanelPage*>(page);
            QVERIFY(panels && panels->panels().size() == 3);
            QVERIFY(panels->main()->width() * 2 >= page->width());
            for (AnalysisPage* panel : panels->panels())
                QTRY_VERIFY_WITH_TIMEOUT(panel->shown() != nullptr, patience_ms);
            panels->arrange({{"share", 0.1}, {"folded", false}}); // never less than half
            QCOMPARE(panels->arrangement().at("share").get<double>(), 0.5);
            panels->arrange({{"share", 0.7}, {"upper", 0.4}, {"folded", true}});
            QVERIFY(!panels->beside(0)->isVisible() && panels->main()->isVisible());
            share = panels->arrangement().at("share").get<double>();
            emit panels->state_changed();
            window.close();
        }
        MainWindow again(in_folder(folder));
        again.show();
        QTRY_VERIFY_WITH_TIMEOUT(again.idle() && again.desk().a(), patience_ms);
        auto* panels = qobject_cast<PanelPage*>(again.findChild<QTabWidget*>()->currentWidget());
        QVERIFY(panels);
        QCOMPARE(panels->arrangement().at("share").get<double>(), share);
        QVERIFY(panels->arrangement().at("folded").get<bool>());
    }

    void what_is_dropped_opens() {
        const QTemporaryDir folder;
        MainWindow window(in_folder(folder));
        window.show();
        QTRY_VERIFY_WITH_TIMEOUT(window.idle() && window.desk().a(), patience_ms);
        const QString text = window.desk().a()->prompt;
        const auto drop = [&](const QString& path) {
            QMimeData data;
            data.setUrls({QUrl::fromLocalFile(path)});
            QDragEnterEvent enter({200, 200}, Qt::CopyAction, &data, Qt::LeftButton, Qt::NoModifier);
            QApplication::sendEvent(&window, &enter);
            QDropEvent event({200, 200}, Qt::CopyAction, &data, Qt::LeftButton, Qt::NoModifier);
            QApplication::sendEvent(&window, &event);
            return enter.isAccepted() && event.isAccepted();
        };
        // A figure.
        const QString figure = folder.filePath("head.svg");
        window.desk().selection.set({2, 5, 6, 3});
        QVERIFY(write_picture(*window.attention().head_canvas(), figure.toStdString(), window.view()));
        window.runner().set_text("Something else");
        QTRY_VERIFY_WITH_TIMEOUT(window.idle() && window.desk().a()->prompt != text, patience_ms);
        QVERIFY(drop(figure));
        QTRY_VERIFY_WITH_TIMEOUT(window.idle() && window.desk().a()->prompt == text, patience_ms);
        QCOMPARE(window.desk().selection.place(), (views::Place{2, 5, 6, 3}));
        // A model's folder.
        const QString model = QString::fromStdString(window.bench().model()->model.path);
        QVERIFY(drop(model));
        QTRY_VERIFY_WITH_TIMEOUT(window.idle() &&
                                     QString::fromStdString(window.bench().model()->request.name) == model,
                                 patience_ms);
        // A session's folder, and a session packed into a zip, which is unpacked beside it.
        window.runner().commit();
        QTRY_VERIFY_WITH_TIMEOUT(window.idle() && !window.keeper().entries().empty(), patience_ms);
        const std::size_t steps = window.keeper().entries().size();
        const QString zip = folder.filePath("packed.zip");
        QSignalSpy done(&window.session_actions(), &SessionActions::finished);
        window.session_actions().export_to(zip.toStdString());
        QTRY_COMPARE_WITH_TIMEOUT(done.count(), 1, patience_ms);
        QVERIFY(drop(zip));
        QTRY_VERIFY_WITH_TIMEOUT(window.idle() && window.keeper().folder().filename() == "packed.vitrine",
                                 patience_ms);
        QTRY_COMPARE_WITH_TIMEOUT(window.keeper().entries().size(), steps, patience_ms);
        QVERIFY(drop(folder.filePath("test.vitrine")));
        QTRY_VERIFY_WITH_TIMEOUT(window.idle() && window.keeper().folder().filename() == "test.vitrine",
                                 patience_ms);
        done.clear();
        window.session_actions().clean();
        QTRY_COMPARE_WITH_TIMEOUT(done.count(), 1, patience_ms);
        QTRY_COMPARE_WITH_TIMEOUT(window.keeper().entries().size(), steps, patience_ms);
    }

    void a_page_torn_off_comes_back() {
        const QTemporaryDir folder;
        MainWindow window(in_folder(folder));
        window.resize(1366, 768);
        window.show();
        QTRY_VERIFY_WITH_TIMEOUT(window.idle() && window.desk().a(), patience_ms);
        const auto* tabs = window.findChild<QTabWidget*>();
        const int pages = tabs->count();
        for (const char* name : {"Attention", "Lens"}) {
            window.show_page(name);
            QTRY_VERIFY_WITH_TIMEOUT(window.idle(), patience_ms);
            QWidget* page = tabs->currentWidget();
            const auto* panels = qobject_cast<PanelPage*>(page);
            for (QAction* action : window.findChildren<QAction*>())
                if (action->text() == "Tear off this page") action->trigger();
            QCOMPARE(tabs->count(), pages - 1);
            QVERIFY(page->isVisible() && page->window() != &window);
            for (const char* control : {"Run", "Explain"}) // what stood beside the tabs went with it
                for (const QAbstractButton* button :
                     (panels ? panels->main() : page)->findChildren<QAbstractButton*>())
                    if (button->text() == QLatin1String(control)) QVERIFY(button->isVisible());
            window.runner().set_text("The ship sailed");
            QTRY_VERIFY_WITH_TIMEOUT(window.idle(), patience_ms);
            page->window()->close();
            QTRY_COMPARE(tabs->count(), pages);
            QCOMPARE(tabs->tabText(tabs->indexOf(page)), QString(name));
            QCOMPARE(page->window(), &window);
        }
    }

    void exported_figures_open_the_view_they_came_from() {
        const QTemporaryDir folder;
        MainWindow window(in_folder(folder));
        window.show();
        QTRY_VERIFY_WITH_TIMEOUT(window.idle() && window.desk().a(), patience_ms);
        const QString text = window.desk().a()->prompt;
        window.desk().selection.set({3, 4, 7, 2});
        views::FigureCanvas* head = window.attention().head_canvas();
        const float shown = window.desk().a()->pattern(3, 4).at(7, 2);
        for (const char* name : {"head.svg", "head.pdf", "head.png"}) {
            const std::filesystem::path file = folder.filePath(name).toStdString();
            QVERIFY(write_picture(*head, file, window.view()));
            window.show_page("Model");
            window.runner().set_text("Something else");
            QTRY_VERIFY_WITH_TIMEOUT(window.idle() && window.desk().a()->prompt != text, patience_ms);
            window.open_figure(file);
            QTRY_VERIFY_WITH_TIMEOUT(window.idle() && window.desk().a()->prompt == text, patience_ms);
            QCOMPARE(window.page(), QString("Attention"));
            QCOMPARE(window.desk().selection.place(), (views::Place{3, 4, 7, 2}));
        }
        QStringList said;
        for (const char* name : {"head.csv", "head.npz", "head.h5"})
            write_numbers(window.bench(), head, folder.filePath(name).toStdString(),
                          [&](const QString& sentence) { said << sentence; });
        QTRY_VERIFY_WITH_TIMEOUT(said.size() == 3, patience_ms);
        for (const QString& sentence : said)
            QVERIFY2(sentence.startsWith("Written"), qPrintable(sentence));
        QFile csv(folder.filePath("head.csv"));
        QVERIFY(csv.open(QIODevice::ReadOnly));
        QVERIFY(csv.readLine().contains("query,key,value"));
        bool found = false;
        while (!csv.atEnd()) {
            const QByteArrayList cells = csv.readLine().trimmed().split(',');
            found = found || std::abs(cells.back().toDouble() - static_cast<double>(shown)) < 1e-7;
        }
        QVERIFY(found);
        QVERIFY(QFileInfo(folder.filePath("head.npz")).size() > 500);
        QVERIFY(QFileInfo(folder.filePath("head.h5")).size() > 500);
    }

    void every_door_tells_its_story() {
        const QTemporaryDir folder;
        MainWindow window(in_folder(folder));
        window.show();
        QTRY_VERIFY_WITH_TIMEOUT(window.idle() && window.desk().a(), patience_ms);
        QVERIFY(window.doors_bar().isVisible());
        for (const views::Door& door : window.doors_bar().doors()) {
            window.show_page("Session");
            window.doors().open(door.id);
            QTRY_VERIFY_WITH_TIMEOUT(window.idle() && window.doors_bar().story().contains("<b>L"),
                                     patience_ms);
            QCOMPARE(window.page(), QString("Attention"));
            const views::Place& place = window.desk().selection.place();
            QVERIFY(window.doors_bar().story().contains(
                QStringLiteral("L%1 H%2").arg(place.layer).arg(place.head)));
            if (door.id != QLatin1String("answer")) {
                window.doors_bar().show_doors();
                continue;
            }
            // The answer hangs on that head more than on any other that is tried.
            QTRY_VERIFY_WITH_TIMEOUT(window.idle() && window.desk().b_is_edited(), patience_ms);
            const auto logprob = [&](const views::RunPtr& run) {
                const std::int32_t answer = window.desk().a()->next.back().top.front().id;
                for (const backend::TopToken& top : run->next.back().top)
                    if (top.id == answer) return static_cast<double>(top.logit) - run->next.back().logsumexp;
                return -100.0;
            };
            const double worst = logprob(window.desk().b());
            QVERIFY(worst < logprob(window.desk().a()));
            window.desk().edits.set_all({{"L7H7 zero", true}});
            QTRY_VERIFY_WITH_TIMEOUT(window.idle() && window.desk().b()->edits == QStringList("L7H7 zero"),
                                     patience_ms);
            QVERIFY(worst <= logprob(window.desk().b()) + 1e-4);
        }
    }

    void a_prompt_beyond_the_context_is_refused_in_words() {
        const QTemporaryDir folder;
        MainWindow window(in_folder(folder));
        window.show();
        QTRY_VERIFY_WITH_TIMEOUT(window.idle() && window.desk().a(), patience_ms);
        QSignalSpy refused(&window.runner(), &Runner::refused);
        window.runner().set_text(QString("word ").repeated(2000));
        QVERIFY(refused.count() > 0);
        QVERIFY(refused.last().first().toString().contains("at most"));
        QVERIFY(!window.desk().stale());
    }

    void a_model_that_is_not_there_is_said_in_its_place() {
        const QTemporaryDir folder;
        WindowOptions options = in_folder(folder);
        options.model.name = folder.filePath("nothing").toStdString();
        options.model_given = true;
        MainWindow window(options);
        window.show();
        const auto said = [&] {
            for (const QLabel* label : window.findChildren<QLabel*>())
                if (label->isVisible() && label->text().contains("nothing")) return true;
            return false;
        };
        QTRY_VERIFY_WITH_TIMEOUT(said(), patience_ms);
    }
};

QTEST_MAIN(TestWindow)
#include "test_window.moc"
