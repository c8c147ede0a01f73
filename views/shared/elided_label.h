#pragma once
#include <QLabel>

namespace vitrine::views {

/// One line that ends in … where there is no room; the whole is on hover.
class ElidedLabel : public QLabel {
public:
    explicit ElidedLabel(QWidget* parent = nullptr);
    void say(const QString& text, const QString& tip = {});
    const QString& whole() const { return whole_; }

    QSize minimumSizeHint() const override { return {20, QLabel::minimumSizeHint().height()}; }

protected:
    void resizeEvent(QResizeEvent* event) override;

private:
    void elide();

    QString whole_, tip_;
};

} // namespace vitrine::views
