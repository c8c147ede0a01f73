#include "views/shared/figure_source.h"

namespace vitrine::views {

QString shell_word(const QString& text) {
    return QLatin1Char('\'') + QString(text).replace(QStringLiteral("'"), QStringLiteral("'\\''")) +
           QLatin1Char('\'');
}

QString as_python(const QString& command) {
    QString quoted = command;
    quoted.replace(QStringLiteral("\\"), QStringLiteral("\\\\"))
        .replace(QStringLiteral("\""), QStringLiteral("\\\""));
    quoted.replace(QStringLiteral("\n"), QStringLiteral("\\n"));
    return QStringLiteral("import json, shlex, subprocess\n\n"
                          "command = \"%1 --json\"\n"
                          "answer = subprocess.run(shlex.split(command), check=True, capture_output=True)\n"
                          "result = json.loads(answer.stdout)\n")
        .arg(quoted);
}

} // namespace vitrine::views
