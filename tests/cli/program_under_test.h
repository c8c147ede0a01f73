#pragma once
// Starts vitrine-cli and looks at what it leaves.
#include <map>

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

inline Ended run_program(const QStringList& arguments,
                         const QProcessEnvironment& environment = clean_environment()) {
    QProcess process;
    process.setProcessEnvironment(environment);
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

/// Names and bytes of everything below a folder.
inline std::map<QString, QByteArray> snapshot(const QString& folder) {
    std::map<QString, QByteArray> found;
    for (const QString& name : tree(folder)) {
        QFile file(name);
        const bool plain = QFileInfo(name).isFile() && file.open(QIODevice::ReadOnly);
        found[name] = plain ? file.readAll() : QByteArray();
    }
    return found;
}

inline void write_file(const QString& name, const QByteArray& bytes) {
    QFile file(name);
    QVERIFY(file.open(QIODevice::WriteOnly));
    QCOMPARE(file.write(bytes), bytes.size());
}

/// With --json --quiet: the exit code, one document with the code, one sentence on standard error.
inline void verify_refused(const Ended& ended, int exit, const QString& code) {
    QVERIFY2(ended.exit == exit, (std::to_string(ended.exit) + ": " + ended.err).c_str());
    QVERIFY2(ended.document.is_object() && ended.document.contains("error"), ended.out.c_str());
    const Json& error = ended.document["error"];
    QVERIFY2(error["code"] == code.toStdString(), ended.out.c_str());
    const QStringList lines = QString::fromStdString(ended.err).split('\n', Qt::SkipEmptyParts);
    QVERIFY2(lines.size() == (exit == 2 ? 2 : 1), ended.err.c_str());
    QCOMPARE(lines[0].toStdString(), error["message"].get<std::string>());
    QVERIFY2(lines[0].endsWith('.'), ended.err.c_str());
    if (exit == 2) QVERIFY(lines[1].contains("--help"));
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
