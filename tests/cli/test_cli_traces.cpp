// What is refused leaves no trace: no session is made, and one that is there keeps every byte.
#include <QtTest>

#include "tests/cli/program_under_test.h"

using namespace vitrine;
using namespace vitrine::test;

class TestCliTraces : public QObject {
    Q_OBJECT
private slots:
    void initTestCase() {
        QVERIFY(QDir().mkpath(folder_.filePath("empty")));
        write_file(folder_.filePath("long.jsonl"), "{\"ids\": [" + QByteArray("1,").repeated(64) + "1]}\n");
        const Ended made =
            run_json({"run", gpt2(), "--ids", "5,6,7", "--session", folder_.filePath("used.vitrine")});
        VERIFY_DONE(made);
    }

    void refusals_data() {
        QTest::addColumn<QStringList>("arguments");
        QTest::addColumn<int>("exit");
        QTest::addColumn<QString>("code");
        const auto row = [](const char* name, const QStringList& arguments, int exit, const char* code) {
            QTest::newRow(name) << arguments << exit << QString(code);
        };
        const auto analyze = [](const char* id, const char* ids, const QStringList& settings) {
            QStringList arguments = {"analyze", id, gpt2(), "--ids", ids};
            for (const QString& setting : settings)
                arguments << "--set" << setting;
            return arguments;
        };
        const QStringList run = {"run", gpt2(), "--ids", "5,6,7"};
        const QStringList generate = {"generate", gpt2(), "--ids", "5,6,7"};
        const auto edit = [](QStringList command, const QString& text) {
            return command << "--edit" << text;
        };

        row("a lens without its file", analyze("lens", "5,6,7", {"lens=tuned"}), 1, "unsupported");
        row("a token that is none", analyze("lens", "5,6,7", {"token=5000"}), 1, "out-of-range");
        row("a position outside", analyze("lens", "5,6,7", {"position=7"}), 1, "out-of-range");
        row("a layer that is none", analyze("attention", "5,6,7", {"layer=9"}), 1, "out-of-range");
        row("one token has no entropy", analyze("head-entropy", "5", {"normalise=true"}), 1, "out-of-range");
        row("a key beyond the row", analyze("sink-rate", "5,6,7", {"key=7"}), 1, "out-of-range");
        row("an unknown choice", analyze("lens", "5,6,7", {"lens=jacobian"}), 1, "out-of-range");
        row("an unknown setting", analyze("lens", "5,6,7", {"x=1"}), 2, "usage");
        row("an id that is none", analyze("lens", "5,300", {}), 1, "out-of-range");

        row("a tensor of another shape",
            edit(run, "blocks.0.hook_mlp_out add 1*@" + fixture("formats/row.npy")), 2, "usage");
        row("the same in a generation",
            edit(generate, "blocks.0.hook_mlp_out add 1*@" + fixture("formats/row.npy")), 2, "usage");
        row("a reference beyond the context",
            edit(run, "blocks.0.hook_mlp_out mean @" + folder_.filePath("long.jsonl")), 1, "out-of-range");
        row("a shorter row in place of a longer",
            edit({"run", gpt2(), "--ids", "5,6,7", "--ids", "5"}, "blocks.0.hook_mlp_out from row=1"), 2,
            "usage");
        row("two norms at once",
            edit(edit(run, "blocks.0.hook_q_input head=1 zero"), "blocks.0.ln1.hook_out scale 2"), 1,
            "unsupported");
        row("an unknown hook", run + QStringList{"--capture", "blocks.9.nothing"}, 1, "not-found");
        row("a position beyond the row", run + QStringList{"--positions", "3"}, 1, "out-of-range");
        row("a branch that is none", generate + QStringList{"--branch", "x:5"}, 2, "usage");
        row("a branch with no token", generate + QStringList{"--branch", "1:5000"}, 1, "out-of-range");
        row("a branch beyond the end", generate + QStringList{"--max-new", "3", "--branch", "3:5"}, 1,
            "out-of-range");
        row("two tokens at one step", generate + QStringList{"--branch", "1:5", "--branch", "1:6"}, 2,
            "usage");
        row("lanes of no head", analyze("generation-lanes", "5,6,7", {"heads=L9H0"}), 1, "out-of-range");
        row("lanes of nothing", analyze("generation-lanes", "5,6,7", {"continuation=5", "branch=0:1"}), 2,
            "usage");
        row("a threshold that is no share", analyze("head-entropy", "5,6,7", {"collapse=2"}), 1,
            "out-of-range");
        row("a sink key beyond the row", analyze("head-entropy", "5,6,7", {"sink_keys=7"}), 1,
            "out-of-range");
        row("no probability at all", generate + QStringList{"--top-p", "0"}, 1, "out-of-range");
    }

    void refusals() {
        QFETCH(QStringList, arguments);
        QFETCH(int, exit);
        QFETCH(QString, code);
        const auto before = snapshot(folder_.path());
        for (const char* session : {"new.vitrine", "empty", "used.vitrine"}) {
            const Ended ended = run_program(
                arguments + QStringList{"--session", folder_.filePath(session), "--json", "--quiet"});
            verify_refused(ended, exit, code);
            if (QTest::currentTestFailed()) return;
            QVERIFY2(snapshot(folder_.path()) == before, session);
        }
    }

    void what_only_reads_leaves_nothing_either() {
        const QString session = folder_.filePath("used.vitrine");
        const auto before = snapshot(folder_.path());
        VERIFY_DONE(run_json({"session", "list", session}));
        VERIFY_DONE(run_json({"session", "show", session}));
        VERIFY_DONE(run_json({"session", "replay", session, "--check"}));
        QCOMPARE(run_json({"session", "show", session, "9"}).exit, 1);
        QVERIFY(snapshot(folder_.path()) == before);
    }

    void what_fails_after_it_began_is_one_failed_step() {
        const QString session = folder_.filePath("failed.vitrine");
        VERIFY_DONE(run_json({"run", gpt2(), "--ids", "5,6,7", "--session", session}));
        // No file can be made, so the numbers of the run find no place.
        QVERIFY(QDir(session + "/activations").removeRecursively());
        const Ended ended =
            run_program({"run", gpt2(), "--ids", "5,6,7", "--session", session, "--json", "--quiet"});
        verify_refused(ended, 1, "io");
        const Ended list = run_json({"session", "list", session});
        VERIFY_DONE(list);
        QCOMPARE(list.document["steps"].size(), std::size_t{2});
        QCOMPARE(list.document["steps"][1]["status"].get<std::string>(), std::string("failed"));
    }

private:
    QTemporaryDir folder_;
};

QTEST_GUILESS_MAIN(TestCliTraces)
#include "test_cli_traces.moc"
