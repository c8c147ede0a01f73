#include "views/cause/pair_ruler.h"

#include <QHelpEvent>
#include <QPainter>
#include <QToolTip>
#include <QWheelEvent>
#include <algorithm>

namespace vitrine::views {

namespace {

constexpr double padding = 5; ///< within a chip
constexpr double gap = 2;     ///< between chips

} // namespace

PairRuler::PairRuler(Desk& desk, QWidget* parent) : QWidget(parent), desk_(desk) {
    setAccessibleName(tr("Clean and corrupted prompt, token by token"));
    connect(&desk_, &Desk::theme_changed, this, [this] { update(); });
}

void PairRuler::show_pair(QStringList clean, QStringList corrupted) {
    clean_ = std::move(clean);
    corrupted_ = std::move(corrupted);
    offset_ = 0;
    update();
}

bool PairRuler::differs(int at) const { return clean_.value(at) != corrupted_.value(at); }

int PairRuler::differing() const {
    int count = 0;
    for (int at = 0; at < std::max(clean_.size(), corrupted_.size()); ++at)
        count += differs(at) ? 1 : 0;
    return count;
}

std::vector<double> PairRuler::lefts() const {
    const QFontMetricsF metrics(desk_.theme().fixed_font());
    std::vector<double> edges{4};
    for (int at = 0; at < std::max(clean_.size(), corrupted_.size()); ++at)
        edges.push_back(edges.back() + gap + 2 * padding +
                        std::max(metrics.horizontalAdvance(clean_.value(at)),
                                 metrics.horizontalAdvance(corrupted_.value(at))));
    return edges;
}

QSize PairRuler::sizeHint() const {
    const double line = QFontMetricsF(desk_.theme().fixed_font()).height() + 4;
    return {400, static_cast<int>(2 * line + 4)};
}

void PairRuler::paintEvent(QPaintEvent* /*event*/) {
    QPainter painter(this);
    const figure::Theme& theme = desk_.theme();
    painter.setFont(theme.fixed_font());
    const double line = QFontMetricsF(theme.fixed_font()).height() + 4;
    const std::vector<double> edges = lefts();
    for (int at = 0; at + 1 < static_cast<int>(edges.size()); ++at) {
        const auto column = static_cast<std::size_t>(at);
        const QRectF above(edges[column] - offset_, 1, edges[column + 1] - edges[column] - gap, line - 2);
        if (above.right() < 0 || above.left() > width()) continue;
        const QRectF below = above.translated(0, line);
        const bool other = differs(at);
        QColor mark = theme.accent;
        mark.setAlphaF(0.22F);
        if (other) {
            painter.fillRect(above, mark);
            painter.fillRect(below, mark);
        }
        painter.setPen(theme.text);
        painter.drawText(above, Qt::AlignCenter, clean_.value(at));
        painter.setPen(other ? theme.text : theme.muted); // what is the same need not be read twice
        painter.drawText(below, Qt::AlignCenter, corrupted_.value(at));
    }
}

void PairRuler::wheelEvent(QWheelEvent* event) {
    const double most = std::max(0.0, lefts().back() - width() + 4);
    offset_ = std::clamp(offset_ - event->angleDelta().y() - event->angleDelta().x(), 0.0, most);
    update();
}

bool PairRuler::event(QEvent* event) {
    if (event->type() != QEvent::ToolTip) return QWidget::event(event);
    const auto* help = static_cast<QHelpEvent*>(event);
    const std::vector<double> edges = lefts();
    for (int at = 0; at + 1 < static_cast<int>(edges.size()); ++at) {
        const auto column = static_cast<std::size_t>(at);
        const double x = help->pos().x() + offset_;
        if (x < edges[column] || x >= edges[column + 1]) continue;
        QToolTip::showText(help->globalPos(),
                           differs(at) ? tr("Position %1: clean “%2”, corrupted “%3”")
                                             .arg(at)
                                             .arg(clean_.value(at), corrupted_.value(at))
                                       : tr("Position %1: “%2” in both").arg(at).arg(clean_.value(at)));
        return true;
    }
    QToolTip::hideText();
    return true;
}

} // namespace vitrine::views
