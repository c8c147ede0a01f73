// Machines that give less than was asked for: no driver, a device that is lost, no memory, a full or
// read-only disk.
#include <csignal>

#include <QtTest>

#include <sys/prctl.h>
#include <sys/resource.h>

#include <linux/capability.h>

#include "tests/cli/program_under_test.h"

using namespace vitrine;
using namespace vitrine::test;

namespace {

constexpr const char* device_lost = "-4";
constexpr const char* out_of_device_memory = "-2";

/// The program where `prepare` was called in its process before it started.
Ended run_prepared(const QStringList& arguments, const std::function<void()>& prepare) {
    QProcess process;
    process.setProcessEnvironment(clean_environment());
    process.setChildProcessModifier(prepare);
    process.start(VITRINE_CLI, arguments);
    return finish(process);
}

/// A limit stands in for a full disk: the system refuses the write in the same place.
std::function<void()> files_up_to(rlim_t bytes) {
    return [bytes] {
        std::signal(SIGXFSZ, SIG_IGN);
        const rlimit limit{bytes, bytes};
        setrlimit(RLIMIT_FSIZE, &limit);
    };
}

std::function<void()> memory_up_to(rlim_t bytes) {
    return [bytes] {
        const rlimit limit{bytes, bytes};
        setrlimit(RLIMIT_AS, &limit);
    };
}

/// Root writes where it likes; without these it is held to what a folder allows.
void obey_permissions() {
    prctl(PR_CAPBSET_DROP, CAP_DAC_OVERRIDE);
    prctl(PR_CAPBSET_DROP, CAP_DAC_READ_SEARCH);
}

/// A folder that cannot be written while the object lives.
class ReadOnly {
public:
    explicit ReadOnly(const QString& folder) : folder_(folder) { set(QFile::ReadOwner | QFile::ExeOwner); }
    ~ReadOnly() { set(QFile::ReadOwner | QFile::WriteOwner | QFile::ExeOwner); }
    ReadOnly(const ReadOnly&) = delete;
    ReadOnly& operator=(const ReadOnly&) = delete;

private:
    void set(QFile::Permissions permissions) const {
        QFile::setPermissions(folder_, permissions);
        if (QFileInfo::exists(folder_ + "/activations"))
            QFile::setPermissions(folder_ + "/activations", permissions);
    }
    QString folder_;
};

} // namespace

class TestCliResources : public QObject {
    Q_OBJECT
private slots:
    void without_a_driver() {
        QProcessEnvironment environment = clean_environment();
        environment.insert("VK_ICD_FILENAMES", "/nowhere/icd.json");
        environment.insert("VK_DRIVER_FILES", "/nowhere/icd.json");
        const Ended devices = run_program({"devices", "--json"}, environment);
        VERIFY_DONE(devices);
        QCOMPARE(devices.document["devices"].size(), std::size_t{1});
        QCOMPARE(devices.document["auto"].get<std::string>(), std::string("cpu"));
        VERIFY_DONE(run_program({"run", gpt2(), "--ids", "5", "--json"}, environment));
        for (const char* device : {"vulkan", "vulkan:0", "llvmpipe"})
            verify_refused(run_program({"run", gpt2(), "--ids", "5", "--device", device, "--json", "--quiet"},
                                       environment),
                           1, "not-found");
    }

    void a_device_that_fails_data() {
        QTest::addColumn<QString>("failure");
        QTest::addColumn<QString>("code");
        QTest::addColumn<bool>("started"); ///< whether the step had begun
        QTest::newRow("no memory for the weights")
            << QString("vkAllocateMemory 1 ") + out_of_device_memory << QString("out-of-memory") << false;
        QTest::newRow("lost at the end")
            << QString("vkWaitSemaphores LAST ") + device_lost << QString("device") << true;
        QTest::newRow("lost as the run is handed over")
            << QString("vkQueueSubmit2 LAST ") + device_lost << QString("device") << true;
        QTest::newRow("no memory for the run")
            << QString("vkAllocateMemory LAST ") + out_of_device_memory << QString("out-of-memory") << true;
    }

    void a_device_that_fails() {
        QFETCH(QString, failure);
        QFETCH(QString, code);
        QFETCH(bool, started);
        const QTemporaryDir folder;
        write_file(folder.filePath("layer.json"),
                   QByteArray("{\"file_format_version\": \"1.0.0\", \"layer\": {\"name\": "
                              "\"VK_LAYER_VITRINE_failing\", \"type\": \"GLOBAL\", \"library_path\": \"") +
                       VITRINE_FAILING_LAYER +
                       "\", \"api_version\": \"1.3.0\", \"implementation_version\": \"1\", "
                       "\"description\": \"fails\"}}");
        const QString session = folder.filePath("session");
        const QStringList arguments = {"run",    gpt2(),      "--ids", "5,6,7",  "--device",
                                       "vulkan", "--session", session, "--json", "--quiet"};
        const auto with = [&](const QString& what) {
            QProcessEnvironment environment = clean_environment();
            environment.insert("VK_LAYER_PATH", folder.path());
            environment.insert("VK_INSTANCE_LAYERS", "VK_LAYER_VITRINE_failing");
            environment.insert("VITRINE_TEST_FAILURE", what);
            return run_program(arguments, environment);
        };
        // How many calls there are is the driver's affair: the last that fails is looked for from the start.
        Ended ended;
        if (failure.contains("LAST")) {
            int calls = 0;
            for (; calls < 1000; ++calls) {
                QDir(session).removeRecursively();
                const Ended next = with(QString(failure).replace("LAST", QString::number(calls)));
                if (next.exit == 0) break;
                ended = next;
            }
            QVERIFY2(calls > 0 && calls < 1000, ended.err.c_str());
            QDir(session).removeRecursively();
            ended = with(QString(failure).replace("LAST", QString::number(calls - 1)));
        } else {
            ended = with(failure);
        }
        verify_refused(ended, 1, code);
        QCOMPARE(QFileInfo::exists(session), started);
        if (!started) return;
        const Ended list = run_json({"session", "list", session});
        VERIFY_DONE(list);
        QCOMPARE(list.document["steps"].size(), std::size_t{1});
        QCOMPARE(list.document["steps"][0]["status"].get<std::string>(), std::string("failed"));
    }

    void a_full_disk_data() {
        QTest::addColumn<QStringList>("arguments");
        const QStringList run = {"run", gpt2(), "--ids", "5,6,7,8", "--capture", "*hook_pattern"};
        const QStringList analyze = {"analyze", "head-entropy", gpt2(), "--ids", "5,6,7,8"};
        QTest::newRow("captures") << run + QStringList{"--out", "OUTPUT.h5"};
        QTest::newRow("a session") << run + QStringList{"--session", "OUTPUT"};
        for (const char* kind : {"npz", "csv", "h5"})
            QTest::addRow("data as %s", kind) << analyze + QStringList{"--data", QString("OUTPUT.") + kind};
        for (const char* kind : {"svg", "pdf", "png"})
            QTest::addRow("a figure as %s", kind)
                << analyze + QStringList{"--figure", QString("OUTPUT.") + kind};
    }

    void a_full_disk() {
        QFETCH(QStringList, arguments);
        bool refused = false;
        for (const rlim_t limit : {0, 1, 200, 1000, 4096, 10000, 30000, 60000, 100000}) {
            const QTemporaryDir folder;
            QStringList filled = arguments;
            filled.replaceInStrings("OUTPUT", folder.filePath("output"));
            const Ended ended = run_prepared(filled << "--device"
                                                    << "cpu"
                                                    << "--json"
                                                    << "--quiet",
                                             files_up_to(limit));
            if (ended.exit == 0) continue;
            refused = true;
            verify_refused(ended, 1, "io");
            if (QTest::currentTestFailed()) {
                qWarning("with room for %llu bytes", static_cast<unsigned long long>(limit));
                return;
            }
            // Nothing, or a session with the step that failed.
            if (tree(folder.path()).isEmpty()) continue;
            const Ended list = run_json({"session", "list", folder.filePath("output")});
            VERIFY_DONE(list);
            QCOMPARE(list.document["steps"].size(), std::size_t{1});
            QVERIFY2(list.document["steps"][0]["status"] != "done", list.out.c_str());
        }
        QVERIFY(refused);
    }

    void a_read_only_folder() {
        const QTemporaryDir folder;
        const QString session = folder.filePath("old.vitrine");
        VERIFY_DONE(run_json({"run", gpt2(), "--ids", "5,6,7", "--session", session}));
        VERIFY_DONE(run_json({"session", "export", session, folder.filePath("old.zip")}));
        const auto before = snapshot(folder.path());
        const ReadOnly outer(folder.path());
        const ReadOnly inner(session);
        const auto refused = [&](const QStringList& arguments, const char* code) {
            const Ended ended = run_prepared(arguments + QStringList{"--json", "--quiet"}, obey_permissions);
            verify_refused(ended, 1, code);
            if (QTest::currentTestFailed()) qWarning() << arguments;
        };
        const QStringList run = {"run", gpt2(), "--ids", "5,6,7", "--capture", "*hook_pattern"};
        const QStringList analyze = {"analyze", "head-entropy", gpt2(), "--ids", "5,6,7,8"};
        refused(run + QStringList{"--out", folder.filePath("f.h5")}, "io");
        refused(run + QStringList{"--session", folder.filePath("new.vitrine")}, "io");
        refused(run + QStringList{"--session", session}, "session");
        refused(analyze + QStringList{"--figure", folder.filePath("f.svg")}, "io");
        refused(analyze + QStringList{"--data", folder.filePath("f.npz")}, "io");
        refused({"session", "clean", session}, "session");
        refused({"session", "export", session, folder.filePath("new.zip")}, "io");
        refused({"session", "import", folder.filePath("old.zip"), folder.filePath("new.vitrine")}, "io");
        // Reading needs no writing.
        for (const char* command : {"list", "show", "replay"})
            VERIFY_DONE(run_prepared({"session", command, session, "--json"}, obey_permissions));
        QVERIFY(snapshot(folder.path()) == before);
    }

    void a_cache_that_cannot_be_written_is_no_failure() {
        const QTemporaryDir folder;
        const ReadOnly read_only(folder.path());
        QProcess process;
        QProcessEnvironment environment = clean_environment();
        environment.insert("XDG_CACHE_HOME", folder.path());
        process.setProcessEnvironment(environment);
        process.setChildProcessModifier(obey_permissions);
        process.start(VITRINE_CLI, {"run", gpt2(), "--ids", "5", "--json", "--quiet"});
        const Ended ended = finish(process);
        VERIFY_DONE(ended);
        QVERIFY2(ended.err.empty(), ended.err.c_str());
        QVERIFY(tree(folder.path()).isEmpty());
    }

    void too_little_memory() {
#if defined(__SANITIZE_ADDRESS__)
        QSKIP("The address sanitizer's own memory has no such limit.");
#endif
        // From what the program needs to start up to what the run needs: never a crash, always the sentence.
        const QTemporaryDir folder;
        QByteArray ids = "1";
        for (int i = 1; i < 512; ++i)
            ids += ',' + QByteArray::number(i);
        int refused = 0;
        bool done = false;
        for (rlim_t mebibytes = 150; mebibytes < 4000 && !done; mebibytes = mebibytes * 5 / 4) {
            const Ended ended =
                run_prepared({"run", "default", "--ids", ids, "--positions", "all", "--capture",
                              "*hook_pattern", "--capture", "*hook_attn_scores", "--device", "cpu",
                              "--session", folder.filePath("session"), "--json", "--quiet"},
                             memory_up_to(mebibytes << 20));
            done = ended.exit == 0;
            if (done || ended.document.is_discarded()) continue; // the system could not even start it
            ++refused;
            verify_refused(ended, 1, "out-of-memory");
            if (QTest::currentTestFailed()) {
                qWarning("with %llu MiB", static_cast<unsigned long long>(mebibytes));
                return;
            }
        }
        QVERIFY(done);
        QVERIFY(refused > 0);
    }
};

QTEST_GUILESS_MAIN(TestCliResources)
#include "test_cli_resources.moc"
