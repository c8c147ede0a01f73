#pragma once
#include <QDoubleSpinBox>

namespace vitrine::views {

/// A number as the texts of interventions write it: as many digits as it needs, whatever the locale.
class StrengthBox : public QDoubleSpinBox {
public:
    explicit StrengthBox(QWidget* parent);
    /// By a tenth, or a tenth of the power of ten that the number has.
    void stepBy(int steps) override;
    QString textFromValue(double value) const override;
    QSize sizeHint() const override { return {80, QDoubleSpinBox::sizeHint().height()}; }
    QSize minimumSizeHint() const override { return {50, QDoubleSpinBox::minimumSizeHint().height()}; }
};

} // namespace vitrine::views
