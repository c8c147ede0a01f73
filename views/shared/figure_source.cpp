#include "views/shared/figure_source.h"

#include <QStringList>

namespace vitrine::views {

QString shell_word(const QString& text) {
    return QLatin1Char('\'') + QString(text).replace(QStringLiteral("'"), QStringLiteral("'\\''")) +
           QLatin1Char('\'');
}

QString as_python(const QString& command) {
    const auto quoted = [](QString line) {
        line.replace(QStringLiteral("\\"), QStringLiteral("\\\\"))
            .replace(QStringLiteral("\""), QStringLiteral("\\\""));
        return line.replace(QStringLiteral("\n"), QStringLiteral("\\n"));
    };
    QString out = QStringLiteral("import json, shlex, subprocess\n\n");
    // A line each for A and B; a newline inside a quoted word is none between commands.
    const QStringList lines = command.split(QStringLiteral("\nvitrine-cli "));
    for (int at = 0; at < lines.size(); ++at) {
        const QString name =
            lines.size() == 1 ? QStringLiteral("result") : QStringLiteral("result_%1").arg(QChar('a' + at));
        out += QStringLiteral("command = \"%1 --json\"\n"
                              "answer = subprocess.run(shlex.split(command), check=True, "
                              "capture_output=True)\n"
                              "%2 = json.loads(answer.stdout)\n")
                   .arg(quoted((at ? QStringLiteral("vitrine-cli ") : QString()) + lines[at]), name);
    }
    return out;
}

} // namespace vitrine::views
