// Sessions and files of captures that are damaged, foreign or newer than the program: refused, never changed,
// never a crash.
#include <QtTest>

#include <random>

#include "tests/cli/program_under_test.h"

using namespace vitrine;
using namespace vitrine::test;

namespace {

QByteArray read_file(const QString& name) {
    QFile file(name);
    return file.open(QIODevice::ReadOnly) ? file.readAll() : QByteArray();
}

void copy_folder(const QString& from, const QString& to) {
    for (const QString& name : tree(from)) {
        const QString target = to + name.mid(from.size());
        QVERIFY(QDir().mkpath(QFileInfo(target).path()));
        if (QFileInfo(name).isFile()) QVERIFY(QFile::copy(name, target));
    }
}

} // namespace

class TestCliBadSessions : public QObject {
    Q_OBJECT
private slots:
    void initTestCase() {
        VERIFY_DONE(run_json({"run", gpt2(), "--ids", "5,6,7", "--capture", "blocks.*.hook_resid_post",
                              "--device", "cpu", "--session", good_}));
        VERIFY_DONE(run_json(
            {"run", gpt2(), "--ids", "5,6,7", "--capture", "blocks.*.hook_resid_post", "--out", captures_}));
    }

    void journals_data() {
        QTest::addColumn<QByteArray>("journal");
        QTest::addColumn<QString>("code");
        const QByteArray good = read_file(good_ + "/session.sqlite");
        const auto row = [](const char* name, const QByteArray& journal, const char* code) {
            QTest::newRow(name) << journal << QString(code);
        };
        QByteArray newer = good; // user_version lies at byte 60
        newer.replace(60, 4, QByteArray::fromHex("00000063"));
        row("of a newer version", newer, "session");
        QByteArray foreign = good; // application_id at byte 68
        foreign.replace(68, 4, QByteArray::fromHex("00000000"));
        row("of another program", foreign, "malformed");
        row("empty", {}, "malformed");
        row("a text", "once upon a time\n", "malformed");
        row("cut after its first page", good.left(4096), "malformed");
        row("cut within its last page", good.left(good.size() - 1), "malformed");
        QByteArray zeros = good;
        zeros.replace(4096, good.size() - 4096, QByteArray(good.size() - 4096, '\0'));
        row("zeros behind its first page", zeros, "malformed");
        QByteArray schema = good;
        schema.replace(100, 3996, QByteArray(3996, '\xFF'));
        row("a first page of nonsense", schema, "malformed");
    }

    void journals() {
        QFETCH(QByteArray, journal);
        QFETCH(QString, code);
        const QTemporaryDir folder;
        const QString session = folder.filePath("bad.vitrine");
        copy_folder(good_, session);
        write_file(session + "/session.sqlite", journal);
        const auto before = snapshot(folder.path());
        const QList<QStringList> commands = {
            {"session", "list", session},
            {"session", "show", session},
            {"session", "replay", session, "--check"},
            {"session", "export", session, folder.filePath("bad.zip")},
            {"session", "clean", session},
            {"run", gpt2(), "--ids", "5,6", "--session", session},
        };
        for (const QStringList& command : commands) {
            const Ended ended = run_program(command + QStringList{"--json", "--quiet"});
            verify_refused(ended, 1, code);
            if (QTest::currentTestFailed() || snapshot(folder.path()) != before) {
                QFAIL(("by " + command.join(' ')).toLocal8Bit().constData());
            }
        }
    }

    void captures_data() {
        QTest::addColumn<QByteArray>("bytes");
        const QByteArray good = read_file(captures_);
        QTest::newRow("empty") << QByteArray();
        QTest::newRow("a text") << QByteArray("once upon a time\n");
        QTest::newRow("the signature alone") << good.left(8);
        QTest::newRow("cut in the middle") << good.left(good.size() / 2);
        QTest::newRow("zeros behind the signature") << good.left(8) + QByteArray(good.size() - 8, '\0');
        QTest::newRow("ones behind the signature") << good.left(8) + QByteArray(good.size() - 8, '\xFF');
    }

    void captures() {
        QFETCH(QByteArray, bytes);
        const QTemporaryDir folder;
        const QString file = folder.filePath("damaged.h5");
        write_file(file, bytes);
        verify_refused(run_program({"run", gpt2(), "--ids", "5,6,7", "--edit",
                                    "blocks.1.hook_resid_post from @" + file + ":0", "--json", "--quiet"}),
                       1, "malformed");
    }

    void damaged_artifacts_are_found() {
        const Ended show = run_json({"session", "show", good_, "1"});
        VERIFY_DONE(show);
        const QString name =
            QString::fromStdString(show.document["steps"][0]["artifacts"][0]["file"].get<std::string>());
        const QByteArray good = read_file(good_ + "/" + name);
        QList<QByteArray> files = {{}, "nothing of the kind", good.left(good.size() / 2)};
        std::mt19937 random(11);
        for (int round = 0; round < 12; ++round) {
            QByteArray bytes = good;
            for (int i = 0; i < 64; ++i)
                bytes[static_cast<int>(random() % static_cast<unsigned>(bytes.size()))] =
                    static_cast<char>(random());
            files << bytes;
        }
        for (const QByteArray& bytes : files) {
            const QTemporaryDir folder;
            const QString session = folder.filePath("bad.vitrine");
            copy_folder(good_, session);
            write_file(session + "/" + name, bytes);
            const Ended replay = run_json({"session", "replay", session, "--check"});
            QVERIFY2(replay.exit == 3, (std::to_string(replay.exit) + replay.err).c_str());
            bool damaged = false;
            for (const Json& drift : replay.document["drift"])
                damaged = damaged || drift["verdict"] == "damaged";
            QVERIFY(damaged);
        }
    }

private:
    QTemporaryDir folder_;
    const QString good_ = folder_.filePath("good.vitrine");
    const QString captures_ = folder_.filePath("captures.h5");
};

QTEST_GUILESS_MAIN(TestCliBadSessions)
#include "test_cli_bad_sessions.moc"
