// Models in the local stores through the program: listed, and opened by name.
#include <QtTest>

#include "tests/cli/program_under_test.h"

using namespace vitrine;
using namespace vitrine::test;

class TestCliModels : public QObject {
    Q_OBJECT

    QTemporaryDir scratch_;
    QProcessEnvironment environment_ = clean_environment();

    Ended program(QStringList arguments) const {
        return run_program(arguments << "--json"
                                     << "--quiet",
                           environment_);
    }

    static Json named(const Json& document, const std::string& name) {
        for (const Json& model : document["models"])
            if (model["name"] == name) return model;
        return {};
    }

private slots:
    void initTestCase() {
        const QString snapshot = scratch_.filePath("hub/models--org--tiny/snapshots/abcdef0");
        QVERIFY(QDir().mkpath(snapshot));
        for (const char* name : {"config.json", "model.safetensors"})
            QVERIFY(QFile::link(gpt2() + "/" + name, snapshot + "/" + name));
        QVERIFY(QDir().mkpath(scratch_.filePath("hub/models--org--half/blobs")));
        write_file(scratch_.filePath("hub/models--org--half/blobs/a.incomplete"), "x");
        QVERIFY(QDir().mkpath(scratch_.filePath("ollama")));
        environment_.insert("HOME", scratch_.path());
        environment_.insert("HF_HUB_CACHE", scratch_.filePath("hub"));
        environment_.insert("OLLAMA_MODELS", scratch_.filePath("ollama"));
    }

    void they_are_listed() {
        const auto before = snapshot(scratch_.path());
        const auto ended = program({"models"});
        VERIFY_DONE(ended);
        const Json tiny = named(ended.document, "org/tiny");
        VERIFY_KEYS(tiny,
                    {"name", "store", "path", "format", "family", "parameters", "bytes_needed", "problem"});
        QCOMPARE(tiny["family"].get<std::string>(), std::string("gpt2"));
        QVERIFY(tiny["bytes_needed"].get<std::uint64_t>() > 400000);
        QVERIFY(tiny["problem"].is_null());
        const Json half = named(ended.document, "org/half");
        QVERIFY(half["problem"].get<std::string>().find("has not finished") != std::string::npos);
        QVERIFY(half["bytes_needed"].is_null());
        QVERIFY(named(ended.document, "default").is_object());
        QVERIFY(ended.document["bytes_free"].get<std::uint64_t>() > 0);
        QCOMPARE(ended.document["stores"].size(), std::size_t{2});
        QVERIFY(before == snapshot(scratch_.path()));
    }

    void they_open_by_name() {
        const auto by_name = program({"run", "org/tiny", "--ids", "1,2,3", "--device", "cpu"});
        VERIFY_DONE(by_name);
        const auto by_path = program({"run", gpt2(), "--ids", "1,2,3", "--device", "cpu"});
        QVERIFY(by_name.document["rows"] == by_path.document["rows"]);
        const auto model = program({"model", "org/tiny", "--tensors"});
        VERIFY_DONE(model);
        QVERIFY(model.document["tensors"].size() > 10);
    }

    void a_session_replays_them() {
        const QString session = scratch_.filePath("s.vitrine");
        VERIFY_DONE(program({"run", "org/tiny", "--ids", "1,2,3", "--device", "cpu", "--session", session}));
        // The journal knows where the weights lay; the store is not asked again.
        const auto replayed = run_json({"session", "replay", session, "--check"});
        QCOMPARE(replayed.exit, 0);
    }

    void what_is_not_there_is_refused() {
        verify_refused(program({"model", "org/nothing"}), 1, "not-found");
        verify_refused(program({"model", "ollama:nothing"}), 1, "not-found");
        verify_refused(program({"model", "org/half"}), 1, "io");
    }
};

QTEST_GUILESS_MAIN(TestCliModels)
#include "test_cli_models.moc"
