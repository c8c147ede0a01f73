#include "views/shared/elided_label.h"

#include <QFontMetrics>

namespace vitrine::views {

ElidedLabel::ElidedLabel(QWidget* parent) : QLabel(parent) {
    setSizePolicy(QSizePolicy::Ignored, QSizePolicy::Preferred);
    setTextFormat(Qt::PlainText);
}

void ElidedLabel::say(const QString& text, const QString& tip) {
    if (text == whole_ && tip == tip_) return;
    whole_ = text;
    tip_ = tip;
    elide();
}

void ElidedLabel::resizeEvent(QResizeEvent* event) {
    QLabel::resizeEvent(event);
    elide();
}

void ElidedLabel::elide() {
    const QString shown = fontMetrics().elidedText(whole_, Qt::ElideRight, width());
    if (shown != text()) setText(shown);
    setToolTip(!tip_.isEmpty() ? tip_ : shown == whole_ ? QString() : whole_);
}

} // namespace vitrine::views
