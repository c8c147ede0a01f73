// The window on the default model: a prompt becomes a picture while it is typed, and is there again next
// time.
#include <QLabel>
#include <QPlainTextEdit>
#include <QSignalSpy>
#include <QTemporaryDir>
#include <QtTest>
#include <cmath>

#include "app/window/main_window.h"

using namespace vitrine;
using namespace vitrine::window;

namespace {

constexpr int patience_ms = 120000; ///< for machines that do much else

WindowOptions in_folder(const QTemporaryDir& folder) {
    WindowOptions options;
    options.session = folder.filePath("test.vitrine").toStdString();
    options.model.name = "default";
    options.model.device = "cpu";
    return options;
}

} // namespace

class TestWindow : public QObject {
    Q_OBJECT

private slots:
    void initTestCase() {
        QStandardPaths::setTestModeEnabled(true);
        QCoreApplication::setOrganizationName("vitrine-test");
        qputenv("VITRINE_RESOURCES", VITRINE_RESOURCES);
    }

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
