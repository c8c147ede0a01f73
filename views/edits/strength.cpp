#include "views/edits/strength.h"

#include <QRegularExpression>

namespace vitrine::views {

namespace {

constexpr int strength_digits = 6;

// The hook, selectors, the operation and its number; @FILE or *@FILE may follow.
const QRegularExpression& strength_pattern() {
    static const QRegularExpression pattern(
        QStringLiteral("^\\S+(?: [a-z]+=\\S+)* (scale|add|set|cap|calibrate) "
                       "([-+]?[0-9.]+(?:[eE][-+]?[0-9]+)?)?(?=[ *@]|$)"));
    return pattern;
}

} // namespace

std::optional<Strength> strength_of(const QString& edit) {
    const auto match = strength_pattern().match(edit);
    if (!match.hasMatch()) return std::nullopt;
    const QString op = match.captured(1), number = match.captured(2);
    if (number.isEmpty() && op != QLatin1String("add")) return std::nullopt;
    bool reads = true;
    const double value = number.isEmpty() ? 1 : number.toDouble(&reads); // QString reads numbers as in C
    if (!reads) return std::nullopt;
    return Strength{op, value, match.capturedEnd(1) + 1, number.size()};
}

QString with_strength(const QString& edit, double value) {
    const auto strength = strength_of(edit);
    if (!strength) return edit;
    QString number = number_word(value);
    if (strength->length == 0) number += QLatin1Char('*');
    return QString(edit).replace(strength->start, strength->length, number);
}

QString number_word(double value) { return QString::number(value, 'g', strength_digits); }

} // namespace vitrine::views
