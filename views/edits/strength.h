#pragma once
// The number in an intervention's text that says how strong it is.
#include <QString>
#include <optional>

namespace vitrine::views {

struct Strength {
    QString op; ///< scale, add, set, cap, calibrate
    double value = 0;
    qsizetype start = 0; ///< where the number stands in the text
    qsizetype length = 0;
};

/// Nothing where the operation has none (zero, mean, …). `add @F.npy` adds the direction once.
std::optional<Strength> strength_of(const QString& edit);

/// The text with another number.
QString with_strength(const QString& edit, double value);

/// A number as edits write it, whatever the locale.
QString number_word(double value);

} // namespace vitrine::views
