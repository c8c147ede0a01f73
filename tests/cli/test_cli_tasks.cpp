// Task sets and files of pairs on the command line.
#include <QtTest>

#include "tests/cli/program_under_test.h"

using namespace vitrine;
using namespace vitrine::test;

class TestCliTasks : public QObject {
    Q_OBJECT
private slots:
    void sets_are_listed() {
        const Ended ended = run_json({"tasks"});
        VERIFY_DONE(ended);
        QVERIFY(ended.document["model"].is_null());
        QVERIFY(ended.document["sets"].size() >= 18);
        for (const Json& set : ended.document["sets"]) {
            VERIFY_KEYS(set,
                        {"name", "title", "about", "models", "rows", "citation", "licence", "seed", "file"});
            QVERIFY(!set.contains("fit"));
        }
    }

    void a_model_says_what_fits() {
        const Ended ended = run_json({"tasks", "--model", "default", "greater-than-tiny"});
        VERIFY_DONE(ended);
        const Json& set = ended.document["sets"][0];
        QCOMPARE(set["fit"]["rows"], Json(200));
        QCOMPARE(set["fit"]["fits"], Json(200));
        QCOMPARE(ended.document["rows"].size(), std::size_t{200});
        QCOMPARE(ended.document["rows"][0]["fits"], Json(true));
        const Ended none = run_json({"tasks", "--model", "default", "greater-than-digit"});
        VERIFY_DONE(none);
        QCOMPARE(none.document["sets"][0]["fit"]["fits"], Json(0)); // it cuts years in two pairs of digits
        QVERIFY(none.document["rows"][0]["reason"].is_string());
        const Ended people = run_program({"tasks", "--model", "default"});
        QCOMPARE(people.exit, 0);
        QVERIFY2(people.out.find("ioi-tiny") != std::string::npos, people.out.c_str());
    }

    void rows_that_fit_are_prompts() {
        const Ended all = run_json({"tokenize", "default", "--prompts", "task:brackets-tiny"});
        VERIFY_DONE(all);
        QCOMPARE(all.document["rows"].size(), std::size_t{600});
        QCOMPARE(all.err, std::string());
        const Ended listed = run_json({"tasks", "--model", "default", "ioi"});
        VERIFY_DONE(listed);
        const Json& fit = listed.document["sets"][0]["fit"];
        QVERIFY(fit["fits"] > 0 && fit["fits"] < fit["rows"]);
        const Ended some = run_json({"tokenize", "default", "--prompts", "task:ioi"});
        VERIFY_DONE(some);
        QCOMPARE(some.document["rows"].size(), fit["fits"].get<std::size_t>() * 2);
        QVERIFY2(some.err.find("rows of task:ioi are left out") != std::string::npos, some.err.c_str());
    }

    void what_cannot_be_had_is_refused() {
        verify_refused(run_json({"tokenize", "default", "--prompts", "task:none", "--quiet"}), 1,
                       "not-found");
        verify_refused(run_json({"tasks", "none", "--quiet"}), 1, "not-found");
        verify_refused(run_json({"run", "default", "--prompts", "task:greater-than-digit", "--quiet"}), 1,
                       "malformed");
    }

    // Rows of our own in the two forms of files that are in use elsewhere.
    void files_of_pairs_open() {
        const QTemporaryDir folder;
        const QString ids = folder.filePath("ids.csv");
        write_file(ids, ",clean,corrupted,corrupted_hard,correct_idx,incorrect_idx\n"
                        "3,\"To John , the ship\",\"To Mary , the ship\",\"x\",1814,3057\n");
        const Ended listed = run_json({"tasks", ids, "--model", "default"});
        VERIFY_DONE(listed);
        QCOMPARE(listed.document["sets"][0]["fit"]["fits"], Json(1));
        QCOMPARE(listed.document["rows"][0]["answer"], Json({1814}));
        const QString years = folder.filePath("years.csv");
        write_file(years,
                   "clean,corrupted,label\nThe war lasted from the year 1752 to the year 17,The war lasted "
                   "from the year 1701 to the year 17,52\n");
        const Ended spread = run_json({"tasks", years, "--model", "default"});
        VERIFY_DONE(spread);
        QCOMPARE(spread.document["sets"][0]["fit"]["fits"], Json(1));
        QCOMPARE(spread.document["rows"][0]["answer"].size(), std::size_t{47});
        const Ended run = run_json({"analyze", "head-entropy", "default", "--prompts", years});
        VERIFY_DONE(run);
        QCOMPARE(run.document["provenance"]["marks"][1]["role"], Json("corrupted"));
        QCOMPARE(run.document["provenance"]["marks"][0]["answer"].size(), std::size_t{47});
        const QString wrong = folder.filePath("wrong.csv");
        write_file(wrong, "clean,corrupted,anser\na,b,c\n");
        verify_refused(run_json({"run", "default", "--prompts", wrong, "--quiet"}), 1, "malformed");
    }
};

QTEST_GUILESS_MAIN(TestCliTasks)
#include "test_cli_tasks.moc"
