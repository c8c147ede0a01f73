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
    QString line = whole_; // a generated text brings its own line ends
    line.replace('\n', QChar(0x23ce));
    const QString shown = fontMetrics().elidedText(line, Qt::ElideRight, width());
    if (shown != text()) setText(shown);
    setToolTip(!tip_.isEmpty() ? tip_ : shown == line ? QString() : whole_);
}

} // namespace vitrine::views
