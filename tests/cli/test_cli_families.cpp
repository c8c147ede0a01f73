// Every family's tiny model through the program: what it is, its hooks, a run with all captures, generation,
// the analyses, on each device; done without a word on standard error and without a number that is none.
#include <QtTest>

#include "tests/cli/program_under_test.h"

using namespace vitrine;
using namespace vitrine::test;

class TestCliFamilies : public QObject {
    Q_OBJECT

    QTemporaryDir scratch_;

    static QString folder() { return fixture("models/families"); }

    Ended quiet(QStringList arguments) const {
        return run_program(arguments << "--json"
                                     << "--quiet");
    }

    /// Numbers that are null, but for those that are not defined: the first token's −log p and a rate that
    /// needs more tokens.
    static bool whole(const Json& json, const std::string& name = "") {
        if (json.is_null()) return false;
        if (json.is_object())
            for (const auto& [key, value] : json.items())
                if (key != "tokens" && key != "token" && key != "text" && key != "prompt" && key != "step" &&
                    key != "labels" && key != "parameters" && !whole(value, key))
                    return false;
        if (json.is_array())
            for (std::size_t i = name == "token_nll" ? 1 : 0; i < json.size(); ++i)
                if (!whole(json[i])) return false;
        return true;
    }

    void verify(const QStringList& arguments) const {
        const Ended ended = quiet(arguments);
        const std::string what = arguments.join(' ').toStdString() + ": ";
        QVERIFY2(ended.exit == 0, (what + ended.err).c_str());
        QVERIFY2(ended.err.empty(), (what + ended.err).c_str());
        QVERIFY2(ended.document.is_object(), (what + ended.out.substr(0, 200)).c_str());
        Json document = ended.document;
        if (arguments[0] == "model") {
            QVERIFY(document["model"]["parameters"] > 0 && !document["tensors"].empty());
            return;
        }
        if (arguments[0] == "hooks") {
            QVERIFY(document["hooks"].size() > 10);
            return;
        }
        if (arguments[1] == "sink-rate") document["results"].erase(0); // a rate needs 64 tokens
        if (arguments[1] == "generation-lanes")
            for (Json& result : document["results"])
                if (result["name"] == "distinct_n") result["data"].erase(0); // one token makes no pair
        QVERIFY2(whole(document), (what + dump_json(document).substr(0, 2000)).c_str());
    }

private slots:
    void every_family_data() {
        QTest::addColumn<QString>("model");
        for (const QString& name : QDir(folder()).entryList(QDir::Dirs | QDir::NoDotAndDotDot))
            QTest::addRow("%s", qPrintable(name)) << folder() + "/" + name;
    }

    void every_family() {
        QFETCH(QString, model);
        verify({"model", model, "--tensors"});
        verify({"hooks", model});
        const QStringList ids{"--ids", "3,1,4,1,5"};
        for (const QString& device : devices()) {
            const QStringList on{"--device", device};
            const QString file = scratch_.filePath("captures.h5");
            verify(QStringList{"run", model, "--positions", "all", "--capture", "*", "--out", file} + ids +
                   on);
            QVERIFY(QFile::remove(file));
            verify(QStringList{"generate", model, "--max-new", "4", "--ids", "2,7"} + ids + on);
            for (const char* id : {"attention", "lens", "generation-lanes"})
                verify(QStringList{"analyze", id, model} + ids + on);
            if (device != "cpu") continue; // these see the same attention and the same stream
            for (const char* id : {"sink-rate", "sink-map", "head-entropy", "lens-entropy"})
                verify(QStringList{"analyze", id, model} + ids + on);
            verify(QStringList{"analyze", "head-metrics", model, "--set", "length=8"} + on);
        }
    }

    void every_device_agrees_with_the_processor_data() { every_family_data(); }
    void every_device_agrees_with_the_processor() {
        QFETCH(QString, model);
        for (const QString& device : devices()) {
            if (device == "cpu") continue;
            const Ended ended = quiet({"model", model, "--check", "--device", device});
            QVERIFY2(ended.exit == 0, (ended.out + ended.err).c_str());
            QVERIFY(ended.document["check"]["passed"].get<bool>());
        }
    }

private:
    /// "cpu", and "vulkan" where there is any.
    QStringList devices() const {
        static const Ended listed = quiet({"devices"});
        QStringList found{"cpu"};
        for (const Json& device : listed.document["devices"])
            if (device["id"] == "vulkan:0") found << "vulkan:0";
        return found;
    }
};

QTEST_GUILESS_MAIN(TestCliFamilies)
#include "test_cli_families.moc"
