// What the program refuses: the exit code, one sentence, one document, and no file left behind.
#include <QtTest>

#include <sys/stat.h>

#include "tests/cli/program_under_test.h"

using namespace vitrine;
using namespace vitrine::test;

namespace {

void copy_model(const QString& from, const QString& to) {
    QVERIFY(QDir().mkpath(to));
    for (const QString& name : QDir(from).entryList(QDir::Files))
        QVERIFY(QFile::copy(from + "/" + name, to + "/" + name));
}

QByteArray read_file(const QString& name) {
    QFile file(name);
    return file.open(QIODevice::ReadOnly) ? file.readAll() : QByteArray();
}

} // namespace

class TestCliRefusals : public QObject {
    Q_OBJECT
private slots:
    void initTestCase() {
        const QString root = folder_.path();
        QVERIFY(QDir().mkpath(root + "/empty"));
        QVERIFY(QDir().mkpath(root + "/output"));
        write_file(root + "/latin1.txt", "caf\xE9\n");
        write_file(root + "/broken.jsonl", "{\"prompt\": \n");
        write_file(root + "/not.npy", "no array");

        QCOMPARE(mkfifo((root + "/pipe").toLocal8Bit().constData(), 0600), 0);

        copy_model(gpt2(), root + "/truncated");
        QByteArray weights = read_file(gpt2() + "/model.safetensors");
        write_file(root + "/truncated/model.safetensors", weights.left(weights.size() / 2));

        copy_model(gpt2(), root + "/lying"); // a header of 2^60 bytes
        QByteArray lying = weights;
        lying.replace(0, 8, QByteArray::fromHex("0000000000000010"));
        write_file(root + "/lying/model.safetensors", lying);

        copy_model(gpt2(), root + "/nan"); // the last tensor ends in a NaN
        QByteArray poisoned = weights;
        poisoned.replace(poisoned.size() - 4, 4, QByteArray::fromHex("0000c07f"));
        write_file(root + "/nan/model.safetensors", poisoned);

        copy_model(gpt2(), root + "/foreign");
        QByteArray config = read_file(gpt2() + "/config.json");
        write_file(root + "/foreign/config.json", QByteArray(config).replace("\"gpt2\"", "\"mamba\""));

        copy_model(gpt2(), root + "/shape"); // the weights have 48 dimensions
        write_file(root + "/shape/config.json",
                   QByteArray(config).replace("\"n_embd\": 48", "\"n_embd\": 64"));

        copy_model(gpt2(), root + "/json");
        write_file(root + "/json/config.json", config.left(40));
    }

    void refusals_data() {
        QTest::addColumn<QStringList>("arguments");
        QTest::addColumn<int>("exit");
        QTest::addColumn<QString>("code");
        const auto row = [](const char* name, const QStringList& arguments, int exit, const char* code) {
            QTest::newRow(name) << arguments << exit << QString(code);
        };
        const auto at = [this](const char* name) { return folder_.filePath(name); };
        const QStringList run = {"run", gpt2(), "--ids", "5,6,7"};

        row("no command", {}, 2, "usage");
        row("unknown command", {"frobnicate"}, 2, "usage");
        row("unknown option", {"devices", "--frobnicate"}, 2, "usage");
        row("model missing", {"run"}, 2, "usage");
        row("wrong precision", run + QStringList{"--precision", "half"}, 2, "usage");
        row("prompt missing", {"run", gpt2()}, 2, "usage");
        row("ids that are none", {"run", gpt2(), "--ids", "5,x"}, 2, "usage");
        row("positions that are none", run + QStringList{"--positions", "first"}, 2, "usage");
        row("a setting without value", {"analyze", "head-entropy", gpt2(), "--ids", "5", "--set", "x"}, 2,
            "usage");
        row("figure of another kind", {"analyze", "head-entropy", gpt2(), "--ids", "5", "--figure", "f.gif"},
            2, "usage");
        row("data of another kind", {"analyze", "head-entropy", gpt2(), "--ids", "5", "--data", "f.xls"}, 2,
            "usage");

        row("folder missing", {"model", at("nowhere")}, 1, "not-found");
        row("folder without a model", {"model", at("empty")}, 1, "not-found");
        row("unknown architecture", {"model", at("foreign")}, 1, "unsupported");
        row("broken config", {"model", at("json")}, 1, "malformed");
        row("truncated weights", {"model", at("truncated")}, 1, "malformed");
        row("lying header", {"model", at("lying")}, 1, "malformed");
        row("weights of another shape", {"model", at("shape")}, 1, "malformed");
        row("NaN among the weights", {"run", at("nan"), "--ids", "5"}, 1, "malformed");

        row("empty prompt without special tokens", {"run", "default", "--prompt", "", "--no-special"}, 1,
            "malformed");
        for (const char* option : {"--session", "--device", "--out", "--positions", "--chat"})
            row(qPrintable(QString("%1 of nothing").arg(option)), run + QStringList{option, ""}, 2, "usage");
        row("session in no folder", run + QStringList{"--session", at("nowhere/session")}, 1, "not-found");
        row("text without a tokenizer", {"run", gpt2(), "--prompt", "The ship"}, 1, "unsupported");
        row("tokenizer missing", {"tokenize", gpt2(), "--prompt", "The ship"}, 1, "not-found");
        row("id outside the vocabulary", {"run", gpt2(), "--ids", "5,300"}, 1, "out-of-range");
        row("negative id", {"run", gpt2(), "--ids", "-1"}, 1, "out-of-range");
        QStringList many;
        for (int i = 0; i < 65; ++i)
            many << "1";
        row("longer than the context", {"run", gpt2(), "--ids", many.join(',')}, 1, "out-of-range");
        row("position outside", run + QStringList{"--positions", "3"}, 1, "out-of-range");
        row("prompts missing", {"run", gpt2(), "--prompts", at("nowhere.txt")}, 1, "not-found");
        row("prompts not UTF-8", {"run", gpt2(), "--prompts", at("latin1.txt")}, 1, "malformed");
        row("prompts broken", {"run", gpt2(), "--prompts", at("broken.jsonl")}, 1, "malformed");

        row("unknown hook", run + QStringList{"--capture", "blocks.7.hook_resid_pre"}, 1, "not-found");
        row("glob without a match", run + QStringList{"--capture", "*nothing*"}, 1, "not-found");
        row("edit of an unknown hook", run + QStringList{"--edit", "blocks.7.attn.hook_z zero"}, 1,
            "not-found");
        row("edit that cannot be read", run + QStringList{"--edit", "blocks.0.attn.hook_z frobnicate"}, 2,
            "usage");
        row("edit that matches nothing", run + QStringList{"--edit", "blocks.0.attn.hook_z head=9 zero"}, 2,
            "usage");
        row("edit without its file",
            run + QStringList{"--edit", "blocks.0.hook_mlp_out set @" + at("nowhere.npy")}, 1, "not-found");
        row("edit with a broken file",
            run + QStringList{"--edit", "blocks.0.hook_mlp_out set @" + at("not.npy")}, 1, "malformed");
        row("edit of the wrong shape",
            run + QStringList{"--edit", "blocks.0.hook_mlp_out add 1*@" + fixture("formats/row.npy")}, 2,
            "usage");
        row("dictionary", run + QStringList{"--edit", "blocks.0.hook_mlp_out splice here"}, 1, "unsupported");

        row("no such device", run + QStringList{"--device", "abacus"}, 1, "not-found");
        row("folder of captures missing",
            run + QStringList{"--capture", "*hook_pattern", "--out", at("nowhere/f.h5")}, 1, "io");
        row("captures into a pipe", run + QStringList{"--capture", "*hook_pattern", "--out", at("pipe")}, 1,
            "io");
        row("session that is a file", run + QStringList{"--session", at("not.npy")}, 1, "session");
        row("unknown analysis", {"analyze", "astrology", gpt2(), "--ids", "5"}, 1, "not-found");
        row("unknown setting", {"analyze", "head-entropy", gpt2(), "--ids", "5", "--set", "x=1"}, 2, "usage");
        row("bench of what is not there", {"bench", "index"}, 1, "unsupported");
        row("bench beyond the context", {"bench", "forward", "--model", gpt2(), "--tokens", "65"}, 1,
            "out-of-range");
        row("serve", {"serve"}, 1, "unsupported");
    }

    void refusals() {
        QFETCH(QStringList, arguments);
        QFETCH(int, exit);
        QFETCH(QString, code);
        const QStringList before = tree(folder_.path());
        const Ended ended = run_program(arguments + QStringList{"--json", "--quiet"});
        verify_refused(ended, exit, code);
        QCOMPARE(tree(folder_.path()), before);
    }

    void a_refused_run_writes_no_captures() {
        const QStringList before = tree(folder_.path());
        const QString out = folder_.filePath("output/captures.h5");
        for (const char* ids : {"5,300", "-4"}) {
            const Ended ended = run_json({"run", gpt2(), "--ids", ids, "--capture", "*hook_pattern", "--out",
                                          out, "--session", folder_.filePath("output/session")});
            QCOMPARE(ended.exit, 1);
            QCOMPARE(tree(folder_.path()), before);
        }
    }

    void invalid_utf8_is_refused_with_its_offset() {
        QProcess process; // QProcess itself would repair the argument
        process.setProcessEnvironment(clean_environment());
        process.start("/bin/sh", {"-c", "exec \"$0\" run \"$1\" --json --prompt \"$(printf 'ab\\377c')\"",
                                  VITRINE_CLI, gpt2()});
        const Ended ended = finish(process);
        QCOMPARE(ended.exit, 1);
        QCOMPARE(ended.document["error"]["code"].get<std::string>(), std::string("malformed"));
        QVERIFY2(ended.err.find("byte 2") != std::string::npos, ended.err.c_str());
    }

    void a_full_disk_is_said() {
        QProcess process;
        process.setProcessEnvironment(clean_environment());
        process.start("/bin/sh", {"-c", "exec \"$0\" devices --json >/dev/full", VITRINE_CLI});
        const Ended ended = finish(process);
        QCOMPARE(ended.exit, 1);
        QVERIFY2(ended.err.find("Standard output could not be written") != std::string::npos,
                 ended.err.c_str());
    }

    void help_is_no_failure() {
        const Ended ended = run_program({"run", "--help"});
        QCOMPARE(ended.exit, 0);
        QVERIFY(ended.out.find("--capture") != std::string::npos);
    }

private:
    QTemporaryDir folder_;
};

QTEST_GUILESS_MAIN(TestCliRefusals)
#include "test_cli_refusals.moc"
