// vitrine: the window.
#include <QApplication>
#include <QCommandLineParser>
#include <QDir>
#include <QIcon>
#include <QSettings>
#include <QStandardPaths>
#include <QTemporaryDir>
#include <cstdio>
#include <fmt/format.h>

#include "app/window/attention_speed.h"
#include "app/window/main_window.h"
#include "app/window/tour.h"
#include "app/window/typing.h"
#include "core/base/version.h"

using namespace vitrine;
using namespace vitrine::window;

namespace {

bool has_display() {
    return qEnvironmentVariableIsSet("DISPLAY") || qEnvironmentVariableIsSet("WAYLAND_DISPLAY") ||
           qEnvironmentVariableIsSet("QT_QPA_PLATFORM");
}

std::filesystem::path session_folder(const QString& given) {
    if (!given.isEmpty()) return given.toStdString();
    const QString last = QSettings().value(QStringLiteral("session")).toString();
    if (!last.isEmpty() && QDir(last).exists()) return last.toStdString();
    return QDir(Preferences::load().sessions).filePath(QStringLiteral("first.vitrine")).toStdString();
}

} // namespace

int main(int count, char** arguments) {
    QCoreApplication::setApplicationName(QStringLiteral("vitrine"));
    QCoreApplication::setOrganizationName(QStringLiteral("vitrine"));
    QCoreApplication::setApplicationVersion(QString::fromLatin1(vitrine::version()));

    QCommandLineParser parser;
    parser.setApplicationDescription(
        QStringLiteral("A workbench for looking inside transformer language models."));
    const QCommandLineOption help({QStringLiteral("h"), QStringLiteral("help")},
                                  QStringLiteral("Says this."));
    const QCommandLineOption version(QStringLiteral("version"), QStringLiteral("Says the version."));
    const QCommandLineOption session(QStringLiteral("session"),
                                     QStringLiteral("Session to open or to make; the last one by default."),
                                     QStringLiteral("folder"));
    const QCommandLineOption model(QStringLiteral("model"),
                                   QStringLiteral("Model to open: a folder, a file, or default."),
                                   QStringLiteral("path"));
    const QCommandLineOption device(QStringLiteral("device"),
                                    QStringLiteral("auto, cpu, vulkan, vulkan:N or part of a device's name."),
                                    QStringLiteral("name"));
    const QCommandLineOption precision(QStringLiteral("precision"), QStringLiteral("exact or mixed."),
                                       QStringLiteral("name"));
    const QCommandLineOption tour(
        QStringLiteral("tour"),
        QStringLiteral("Writes a picture of every page into a folder; needs no display."),
        QStringLiteral("folder"));
    QCommandLineOption variant(QStringLiteral("tour-variant"), QString(), QStringLiteral("name"));
    variant.setFlags(QCommandLineOption::HiddenFromHelp);
    const QCommandLineOption typing(
        QStringLiteral("measure-typing"),
        QStringLiteral("Types a text and prints how long a keystroke takes to show its result."));
    const QCommandLineOption attention(
        QStringLiteral("measure-attention"),
        QStringLiteral(
            "Runs a text of so many tokens and prints how long its heads take to open and to pan."),
        QStringLiteral("tokens"));
    parser.addPositionalArgument(QStringLiteral("what"),
                                 QStringLiteral("A model or a session to open; as --model or --session."),
                                 QStringLiteral("[what]"));
    parser.addOptions({help, version, session, model, device, precision, tour, variant, typing, attention});
    QStringList words;
    for (int i = 0; i < count; ++i)
        words << QString::fromLocal8Bit(arguments[i]);
    const bool parsed = parser.parse(words);
    QStringList what = parser.positionalArguments();
    const bool names_session = QDir(what.value(0)).exists(QStringLiteral("session.sqlite"));
    const bool said_twice = !what.isEmpty() && parser.isSet(names_session ? session : model);
    if (!parsed || what.size() > 1 || said_twice) {
        const QString why =
            parsed ? QStringLiteral("Unexpected argument: %1").arg(what.value(said_twice ? 0 : 1))
                   : parser.errorText();
        fmt::print(stderr, "{}{} See vitrine --help.\n", why.toStdString(),
                   why.endsWith(QLatin1Char('.')) ? "" : ".");
        return 2;
    }
    if (parser.isSet(version)) {
        fmt::print("vitrine {}\n", vitrine::version());
        return 0;
    }
    if (parser.isSet(help)) {
        const QCoreApplication application(count, arguments); // help text names the program
        fmt::print("{}", parser.helpText().toStdString());
        return 0;
    }
    const QString wanted_precision = parser.value(precision);
    if (!wanted_precision.isEmpty() && wanted_precision != QLatin1String("exact") &&
        wanted_precision != QLatin1String("mixed")) {
        fmt::print(stderr, "--precision is exact or mixed, not {}. See vitrine --help.\n",
                   wanted_precision.toStdString());
        return 2;
    }
    if (parser.isSet(tour) && !parser.isSet(variant)) {
        const QCoreApplication application(count, arguments);
        return run_tour(QCoreApplication::applicationFilePath(), QDir(parser.value(tour)).absolutePath()) ? 0
                                                                                                          : 1;
    }
    bool is_number = true;
    const int attention_tokens = parser.isSet(attention) ? parser.value(attention).toInt(&is_number) : 0;
    if (!is_number || attention_tokens < 0 || (parser.isSet(attention) && attention_tokens < 2)) {
        fmt::print(stderr,
                   "--measure-attention takes a number of tokens, 2 or more, not {}. See vitrine --help.\n",
                   parser.value(attention).toStdString());
        return 2;
    }
    const bool measuring = parser.isSet(typing) || parser.isSet(attention);
    if (measuring && !has_display()) qputenv("QT_QPA_PLATFORM", "offscreen");
    if (!has_display()) {
        fmt::print(stderr,
                   "There is no display to open a window on; vitrine-cli does the same work without one.\n");
        return 1;
    }

    // The size of everything, before Qt reads it; an environment that says otherwise wins.
    if (const int size = Preferences::load().size;
        size != 100 && !qEnvironmentVariableIsSet("QT_SCALE_FACTOR"))
        qputenv("QT_SCALE_FACTOR", QByteArray::number(size / 100.0));
    QApplication application(count, arguments);
    QApplication::setWindowIcon(QIcon(QStringLiteral(":/icons/vitrine.svg")));
    WindowOptions options;
    const QString asked_session = names_session ? what.takeFirst() : parser.value(session);
    const QString asked_model = what.isEmpty() ? parser.value(model) : what.takeFirst();
    const QTemporaryDir scratch; // a measurement neither reads nor leaves anything of the user's
    options.session =
        measuring && asked_session.isEmpty()
            ? std::filesystem::path(scratch.filePath(QStringLiteral("measured.vitrine")).toStdString())
            : session_folder(asked_session);
    options.model.name = asked_model.isEmpty() ? "default" : asked_model.toStdString();
    options.model_given = !asked_model.isEmpty() || parser.isSet(device) || parser.isSet(precision);
    if (parser.isSet(device)) options.model.device = parser.value(device).toStdString();
    if (wanted_precision == QLatin1String("mixed")) options.model.precision = backend::Precision::mixed;
    MainWindow window(options);
    if (parser.isSet(variant)) {
        window.resize(window.screen()->size());
        auto* guide = new Tour(window, parser.value(tour), parser.value(variant), &window);
        QObject::connect(guide, &Tour::finished, &application, [&window](bool good) {
            window.close();
            QCoreApplication::exit(good ? 0 : 1);
        });
    }
    if (parser.isSet(typing)) {
        auto* measurement = new TypingMeasurement(window, &window);
        QObject::connect(measurement, &TypingMeasurement::finished, &window, &QWidget::close);
    }
    if (parser.isSet(attention)) {
        auto* measurement = new AttentionSpeed(window, attention_tokens, &window);
        QObject::connect(measurement, &AttentionSpeed::finished, &window, &QWidget::close);
    }
    window.show();
    return QApplication::exec();
}
