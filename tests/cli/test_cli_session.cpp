// Sessions through the program: what is recorded, shown and replayed.
#include <QtTest>

#include "core/store/activation_reader.h"
#include "tests/cli/program_under_test.h"

using namespace vitrine;
using namespace vitrine::test;

class TestCliSession : public QObject {
    Q_OBJECT
private slots:
    void runs_become_steps() {
        const QString session = folder_.filePath("steps.vitrine");
        const Ended run =
            run_json({"run", gpt2(), "--ids", "5,6,7", "--capture", "blocks.0.attn.hook_pattern", "--edit",
                      "blocks.1.attn.hook_z head=1 zero", "--session", session});
        VERIFY_DONE(run);
        QCOMPARE(run.document["step"].get<int>(), 1);
        VERIFY_DONE(run_json({"generate", gpt2(), "--ids", "5,6", "--max-new", "3", "--session", session}));
        VERIFY_DONE(run_json({"analyze", "head-entropy", gpt2(), "--ids", "5,6,7", "--session", session}));

        const Ended list = run_json({"session", "list", session});
        VERIFY_DONE(list);
        VERIFY_KEYS(list.document, {"session", "steps"});
        QCOMPARE(list.document["steps"].size(), std::size_t{3});
        const char* kinds[] = {"run", "generate", "analyze"};
        for (std::size_t i = 0; i < 3; ++i) {
            const Json& step = list.document["steps"][i];
            VERIFY_KEYS(step, {"seq", "kind", "status", "spec_hash", "started", "ms", "device", "precision",
                               "error"});
            QCOMPARE(step["kind"].get<std::string>(), std::string(kinds[i]));
            QCOMPARE(step["status"].get<std::string>(), std::string("done"));
        }

        const Ended show = run_json({"session", "show", session, "1"});
        VERIFY_DONE(show);
        QCOMPARE(show.document["steps"].size(), std::size_t{1});
        const Json& step = show.document["steps"][0];
        VERIFY_KEYS(step, {"spec", "inputs", "artifacts"});
        bool found = false;
        for (const Json& artifact : step["artifacts"]) {
            VERIFY_KEYS(artifact, {"file", "dataset", "shape", "hash", "size"});
            if (artifact["dataset"] != "/row0/blocks.0.attn.hook_pattern") continue;
            found = true;
            QCOMPARE(artifact["shape"].dump(), std::string("[4,3,3]"));
            const auto file = session.toStdString() + "/" + artifact["file"].get<std::string>();
            QVERIFY(
                store::ActivationReader::open(file)->read("/row0/blocks.0.attn.hook_pattern").has_value());
        }
        QVERIFY(found);
    }

    void a_replay_gives_the_same_bits() {
        const QString session = folder_.filePath("replayed.vitrine");
        const QString stored = folder_.filePath("stored.h5");
        VERIFY_DONE(run_json(
            {"run", gpt2(), "--ids", "1,2,3", "--capture", "blocks.1.hook_resid_pre", "--out", stored}));
        VERIFY_DONE(run_json({"run", gpt2(), "--ids", "5,6,7", "--capture", "blocks.*.hook_resid_post",
                              "--edit", "blocks.1.hook_resid_pre from @" + stored + ":0", "--session",
                              session, "--device", "cpu"}));
        VERIFY_DONE(run_json({"generate", gpt2(), "--ids", "5,6", "--max-new", "3", "--temperature", "1",
                              "--seed", "3", "--session", session, "--device", "cpu"}));
        VERIFY_DONE(run_json(
            {"analyze", "head-entropy", gpt2(), "--ids", "5,6,7", "--session", session, "--device", "cpu"}));
        VERIFY_DONE(run_json({"generate", gpt2(), "--ids", "5,6", "--max-new", "4", "--branch", "1:9",
                              "--session", session, "--device", "cpu"}));
        QVERIFY(QFile::remove(stored)); // the spec holds what it needs

        const Ended replay = run_json({"session", "replay", session, "--check"});
        VERIFY_DONE(replay);
        QVERIFY(!replay.document["drift"].empty());
        for (const Json& drift : replay.document["drift"]) {
            VERIFY_KEYS(drift, {"step", "artifact", "verdict", "nmse", "max_abs"});
            QVERIFY2(drift["verdict"] == "identical", drift.dump().c_str());
        }
        QCOMPARE(run_json({"session", "list", session}).document["steps"].size(), std::size_t{4});

        const Ended later = run_json({"session", "replay", session, "--from", "4"});
        VERIFY_DONE(later);
        QVERIFY(!later.document["drift"].empty());
        for (const Json& drift : later.document["drift"])
            QCOMPARE(drift["step"].get<int>(), 4);
    }

    void a_session_travels() {
        const QString session = folder_.filePath("travels.vitrine");
        const QString zip = folder_.filePath("travels.zip");
        const QString arrived = folder_.filePath("arrived.vitrine");
        VERIFY_DONE(run_json({"run", gpt2(), "--ids", "5,6,7", "--session", session, "--device", "cpu"}));
        const Ended exported = run_json({"session", "export", session, zip});
        VERIFY_DONE(exported);
        QVERIFY(exported.document["files"].size() >= 2);
        VERIFY_DONE(run_json({"session", "import", zip, arrived}));
        VERIFY_DONE(run_json({"session", "replay", arrived, "--check"}));
        QCOMPARE(run_json({"session", "import", zip, arrived}).exit, 1); // the folder is taken
        QFile stray(arrived + "/activations/step-000099.h5");
        QVERIFY(stray.open(QIODevice::WriteOnly));
        QCOMPARE(stray.write("stray"), qint64{5});
        stray.close();
        const Ended cleaned = run_json({"session", "clean", arrived});
        VERIFY_DONE(cleaned);
        QVERIFY(cleaned.document["freed_bytes"].get<int>() >= 5);
        QVERIFY(!stray.exists());
        VERIFY_DONE(run_json({"session", "replay", arrived, "--check"}));
    }

    void damage_is_found() {
        const QString session = folder_.filePath("damaged.vitrine");
        VERIFY_DONE(run_json({"run", gpt2(), "--ids", "5,6,7", "--session", session, "--device", "cpu"}));
        const Ended show = run_json({"session", "show", session, "1"});
        const auto file = show.document["steps"][0]["artifacts"][0]["file"].get<std::string>();
        QVERIFY(QFile::remove(session + "/" + QString::fromStdString(file)));
        const Ended replay = run_json({"session", "replay", session, "--check"});
        QCOMPARE(replay.exit, 3);
        QVERIFY(replay.document["drift"][0]["verdict"] == "damaged");
        QCOMPARE(run_json({"session", "replay", session}).exit, 0);
    }

    void a_refused_run_leaves_no_session() {
        const QString session = folder_.filePath("refused.vitrine");
        const Ended hook = run_json(
            {"run", gpt2(), "--ids", "5,6,7", "--capture", "blocks.9.nothing", "--session", session});
        QCOMPARE(hook.exit, 1);
        QVERIFY(!QFileInfo::exists(session));
        QCOMPARE(run_json({"run", gpt2(), "--ids", "5,999", "--session", session}).exit, 1);
        QVERIFY(!QFileInfo::exists(session));
    }

    void what_is_no_session_is_refused_and_left_alone() {
        const QString none = folder_.filePath("none");
        for (const char* command : {"list", "show", "replay"}) {
            const Ended ended = run_json({"session", command, none});
            QCOMPARE(ended.exit, 1);
            VERIFY_KEYS(ended.document["error"], {"code", "message"});
        }
        QVERIFY(!QFileInfo::exists(none));
        const QString session = folder_.filePath("one.vitrine");
        VERIFY_DONE(run_json({"run", gpt2(), "--ids", "5,6,7", "--session", session}));
        const Ended step = run_json({"session", "show", session, "7"});
        QCOMPARE(step.exit, 1);
        QCOMPARE(step.document["error"]["code"].get<std::string>(), std::string("not-found"));
    }

private:
    QTemporaryDir folder_;
};

QTEST_GUILESS_MAIN(TestCliSession)
#include "test_cli_session.moc"
