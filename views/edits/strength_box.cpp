#include "views/edits/strength_box.h"

#include <cmath>

#include "views/edits/strength.h"

namespace vitrine::views {

StrengthBox::StrengthBox(QWidget* parent) : QDoubleSpinBox(parent) {
    constexpr int digits_kept = 9;
    setLocale(QLocale::c());
    setDecimals(digits_kept);
}

void StrengthBox::stepBy(int steps) {
    const double size = std::abs(value());
    const double step = size < 10 ? 0.1 : std::pow(10, std::floor(std::log10(size)) - 1);
    setValue(value() + steps * step);
}

QString StrengthBox::textFromValue(double value) const { return number_word(value); }

} // namespace vitrine::views
