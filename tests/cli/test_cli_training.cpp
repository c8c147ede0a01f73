// Folders of checkpoints: emergence over a training that is known, recorded and replayed, and what is
// refused.
#include <QtTest>

#include "tests/cli/program_under_test.h"

using namespace vitrine;
using namespace vitrine::test;

namespace {

void copy_model(const QString& from, const QString& to) {
    QVERIFY(QDir().mkpath(to));
    for (const QString& name : QDir(from).entryList(QDir::Files))
        QVERIFY(QFile::copy(from + "/" + name, to + "/" + name));
}

QString sibling() { return QStringLiteral(VITRINE_RESOURCES "/models/vitrine-tiny-sibling"); }

const Json& result(const Ended& ended, const char* name) {
    static const Json none;
    for (const Json& result : ended.document["results"])
        if (result["name"] == name) return result;
    return none;
}

} // namespace

class TestCliTraining : public QObject {
    Q_OBJECT
private slots:
    void what_emerges_is_what_the_training_noted() {
        // The model's README, measured by other code in datasets/: L0H2 and L1H2 at every checkpoint.
        const Ended induction = run_json({"analyze", "emergence", sibling(), "--set", "metric=induction"});
        QCOMPARE(induction.exit, 0);
        const Json& axes = result(induction, "induction")["axes"];
        QCOMPARE(axes[2]["labels"], Json({"20", "52", "135", "351", "912", "2370", "6157", "16000"}));
        const Json& rate = result(induction, "induction")["data"];
        QVERIFY(rate[1][2][5].get<double>() < 0.1);
        QVERIFY(rate[1][2][7].get<double>() > 0.4); // a perfect head has 0.495
        const Json& loss = result(induction, "loss")["data"];
        QVERIFY(loss[5].get<double>() > 8 && loss[7].get<double>() < 5); // the copy is foreseen
        const Ended previous = run_json({"analyze", "emergence", sibling(), "--set", "metric=previous"});
        QVERIFY(result(previous, "previous")["data"][0][2][7].get<double>() > 0.8);
        QVERIFY(result(previous, "previous")["data"][0][2][4].get<double>() < 0.1);
        // Each checkpoint is its own model: the last is what the folder opens as.
        const Ended last = run_json({"model", sibling()});
        QCOMPARE(result(induction, "checkpoints")["data"][7]["weights_hash"],
                 last.document["model"]["weights_hash"]);
        QVERIFY(result(induction, "checkpoints")["data"][0]["weights_hash"] !=
                last.document["model"]["weights_hash"]);
    }

    void emergence_of_one_checkpoint_is_its_head_metrics() {
        const QString point = sibling() + "/step-06157"; // takes the tokenizer of the folder above
        const QStringList prompts{"--prompt", "The ship sailed at dawn. The ship sailed", "--prompt",
                                  "A b A b"};
        const Ended one =
            run_json(QStringList{"analyze", "head-metrics", point, "--set", "max_new=0"} + prompts);
        QCOMPARE(one.exit, 0);
        for (const char* metric : {"entropy", "induction_rate"}) {
            const Ended all = run_json(
                QStringList{"analyze", "emergence", point, "--set", QString("metric=") + metric} + prompts);
            QCOMPARE(all.exit, 0);
            for (std::size_t layer = 0; layer < 2; ++layer)
                for (std::size_t head = 0; head < 4; ++head)
                    QCOMPARE(result(all, metric)["data"][layer][head][6],
                             result(one, metric)["data"][layer][head]);
        }
    }

    void it_is_a_step_that_replays() {
        const QTemporaryDir folder;
        const QString session = folder.filePath("training.vitrine");
        const QString figure = folder.filePath("training.svg");
        const Ended made = run_json({"analyze", "emergence", sibling(), "--set", "metric=sink", "--set",
                                     "samples=1", "--session", session, "--figure", figure});
        QCOMPARE(made.exit, 0);
        QVERIFY(QFileInfo(figure).size() > 1000);
        const Ended replayed = run_json({"session", "replay", session, "--check"});
        QCOMPARE(replayed.exit, 0);
        QVERIFY(!replayed.document["drift"].empty());
        for (const Json& drift : replayed.document["drift"])
            QCOMPARE(drift["verdict"], Json("identical"));
    }

    void what_is_no_training_is_refused_data() {
        QTest::addColumn<QStringList>("arguments");
        QTest::addColumn<QString>("code");
        QTest::addColumn<QString>("part");
        const QString root = folder_.path();
        copy_model(llama(), root + "/mixed/step-1");
        copy_model(gpt2(), root + "/mixed/step-2");
        copy_model(llama(), root + "/single/step-1");
        QVERIFY(QDir().mkpath(root + "/empty"));
        const auto row = [](const char* name, const QStringList& arguments, const char* code,
                            const char* part) {
            QTest::newRow(name) << arguments << QString(code) << QString(part);
        };
        row("a model alone", {"default"}, "not-found", "is no training: open a folder that holds");
        row("one checkpoint", {root + "/single"}, "not-found", "at least two checkpoints");
        row("no checkpoint", {root + "/empty"}, "not-found", "config.json");
        row("two shapes", {root + "/mixed", "--ids", "1,2,3,1,2"}, "unsupported", "have one shape");
        row("a metric that is none", {sibling(), "--set", "metric=loudness"}, "out-of-range", "loudness");
        row("a threshold that is none", {sibling(), "--set", "epsilon=much"}, "usage", "epsilon");
        row("nothing repeats", {sibling(), "--ids", "1,2,3"}, "out-of-range", "No token repeats");
        row("too long", {sibling(), "--set", "length=400"}, "out-of-range", "do not fit into the context");
    }

    void what_is_no_training_is_refused() {
        QFETCH(QStringList, arguments);
        QFETCH(QString, code);
        QFETCH(QString, part);
        const Ended ended = run_json(QStringList{"analyze", "emergence"} + arguments);
        QCOMPARE(ended.exit, code == "usage" ? 2 : 1);
        QCOMPARE(ended.document["error"]["code"].get<std::string>(), code.toStdString());
        const auto message = QString::fromStdString(ended.document["error"]["message"].get<std::string>());
        QVERIFY2(message.contains(part), qPrintable(message));
        QCOMPARE(message.count(". "), 0);
    }

private:
    const QTemporaryDir folder_;
};

QTEST_GUILESS_MAIN(TestCliTraining)
#include "test_cli_training.moc"
