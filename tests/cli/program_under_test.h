#pragma once
// Starts vitrine-cli and looks at what it leaves.
#include <QDir>
#include <QDirIterator>
#include <QProcess>
#include <QTemporaryDir>
#include <QTest>

#include "core/base/json.h"

namespace vitrine::test {

struct Ended {
    int exit = -1;
    std::string out;
    std::string err;
    Json document; ///< what --json printed; discarded if standard output is not one document
};

inline QString fixture(const char* name) { return QStringLiteral(VITRINE_FIXTURES "/") + name; }
inline QString llama() { return fixture("models/llama-random"); }
inline QString gpt2() { return fixture("models/gpt2-random"); }

/// Environment with a cache of its own, so that a test reads and leaves nothing of the user's.
inline QProcessEnvironment clean_environment() {
    static const QTemporaryDir cache;
    QProcessEnvironment environment = QProcessEnvironment::systemEnvironment();
    environment.insert("XDG_CACHE_HOME", cache.path());
    return environment;
}

inline Ended finish(QProcess& process) {
    Ended ended;
    if (!process.waitForFinished(300000)) return ended;
    ended.exit = process.exitStatus() == QProcess::NormalExit ? process.exitCode() : -1;
    ended.out = process.readAllStandardOutput().toStdString();
    ended.err = process.readAllStandardError().toStdString();
    ended.document = Json::parse(ended.out, nullptr, false);
    return ended;
}

inline Ended run_program(const QStringList& arguments) {
    QProcess process;
    process.setProcessEnvironment(clean_environment());
    process.start(VITRINE_CLI, arguments);
    return finish(process);
}

/// With --json, which every command takes at the end.
inline Ended run_json(QStringList arguments) { return run_program(arguments << "--json"); }

/// Names of all files and folders below a folder, sorted.
inline QStringList tree(const QString& folder) {
    QStringList names;
    QDirIterator entries(folder, QDir::AllEntries | QDir::Hidden | QDir::NoDotAndDotDot,
                         QDirIterator::Subdirectories);
    while (entries.hasNext())
        names << entries.next();
    names.sort();
    return names;
}

/// The names in `wanted` that are no members of `object`, for messages.
inline std::string missing(const Json& object, const std::vector<const char*>& wanted) {
    std::string names;
    for (const char* name : wanted)
        if (!object.is_object() || !object.contains(name)) names += std::string(" ") + name;
    return names;
}

} // namespace vitrine::test

#define VERIFY_KEYS(object, ...)                                                                             \
    do {                                                                                                     \
        const std::string missing_ = vitrine::test::missing(object, __VA_ARGS__);                            \
        QVERIFY2(missing_.empty(), ("missing:" + missing_).c_str());                                         \
    } while (false)

#define VERIFY_DONE(ended)                                                                                   \
    do {                                                                                                     \
        const vitrine::test::Ended& ended_ = (ended);                                                        \
        QVERIFY2(ended_.exit == 0, (ended_.err + ended_.out).c_str());                                       \
        QVERIFY2(ended_.document.is_object(), ended_.out.c_str());                                           \
    } while (false)
