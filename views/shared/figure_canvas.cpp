#include "views/shared/figure_canvas.h"

#include <QApplication>
#include <QContextMenuEvent>
#include <QHelpEvent>
#include <QMenu>
#include <QMouseEvent>
#include <QPainter>
#include <QToolTip>
#include <QWheelEvent>

#include "views/shared/gestures.h"

namespace vitrine::views {

namespace {

constexpr double margin = 10;
constexpr double faded = 0.45; ///< opacity of a picture that waits for its successor

} // namespace

FigureCanvas::FigureCanvas(Desk& desk, QWidget* parent) : QWidget(parent), desk_(desk) {
    setMouseTracking(true);
    setFocusPolicy(Qt::StrongFocus);
    connect(&desk_, &Desk::theme_changed, this, &FigureCanvas::redraw);
    connect(&desk_.selection, &Selection::changed, this, [this] {
        select();
        if (picture_ && picture_->follows_selection())
            redraw();
        else
            update();
    });
    connect(&desk_, &Desk::stale_changed, this, qOverload<>(&QWidget::update));
}

void FigureCanvas::show_picture(figure::PicturePtr picture, FigureSource source) {
    picture_ = std::move(picture);
    source_ = std::move(source);
    select();
    redraw();
}

QRectF FigureCanvas::frame() const { return QRectF(rect()).adjusted(margin, margin, -margin, -margin); }

QSize FigureCanvas::sizeHint() const {
    if (!picture_) return {200, 120};
    return (picture_->preferred_size(desk_.theme()) + QSizeF(2 * margin, 2 * margin)).toSize();
}

void FigureCanvas::select() {
    const Place& place = desk_.selection.place();
    if (picture_) picture_->select({place.layer, place.head, place.query, place.key});
}

void FigureCanvas::redraw() {
    drawn_ = {};
    update();
}

void FigureCanvas::fit() {
    if (!picture_) return;
    picture_->fit();
    redraw();
}

void FigureCanvas::set_waiting(bool on) {
    if (on == waiting_) return;
    waiting_ = on;
    update();
}

void FigureCanvas::paintEvent(QPaintEvent*) {
    QPainter painter(this);
    painter.fillRect(rect(), desk_.theme().panel);
    if (!picture_) return;
    if (drawn_.isNull()) {
        drawn_ = QPixmap((QSizeF(size()) * devicePixelRatioF()).toSize());
        drawn_.setDevicePixelRatio(devicePixelRatioF());
        drawn_.fill(desk_.theme().panel);
        QPainter onto(&drawn_);
        onto.setRenderHint(QPainter::Antialiasing);
        picture_->paint(onto, frame(), desk_.theme());
    }
    painter.setOpacity(desk_.stale() || waiting_ ? faded : 1);
    painter.drawPixmap(0, 0, drawn_);
    painter.setRenderHint(QPainter::Antialiasing);
    picture_->paint_marks(painter, frame(), desk_.theme(), pressed_ && dragged_ ? std::nullopt : pointer_);
}

bool FigureCanvas::event(QEvent* event) {
    if (event->type() != QEvent::ToolTip || !picture_) return QWidget::event(event);
    const auto* help = static_cast<QHelpEvent*>(event);
    const QString hint = picture_->hint(help->pos(), frame(), desk_.theme());
    if (hint.isEmpty()) return QWidget::event(event);
    QToolTip::showText(help->globalPos(), hint, this);
    return true;
}

void FigureCanvas::mousePressEvent(QMouseEvent* event) {
    setFocus(Qt::MouseFocusReason);
    if (event->button() != Qt::LeftButton) return;
    pressed_ = event->position();
    dragged_ = false;
}

void FigureCanvas::mouseMoveEvent(QMouseEvent* event) {
    pointer_ = event->position();
    if (pressed_ && picture_ && (event->buttons() & Qt::LeftButton)) {
        const QPointF by = event->position() - *pressed_;
        if ((dragged_ || by.manhattanLength() > QApplication::startDragDistance()) &&
            picture_->pan(by, frame(), desk_.theme())) {
            dragged_ = true;
            pressed_ = event->position();
            redraw();
            return;
        }
    }
    QString line = picture_ ? picture_->describe(*pointer_, frame(), desk_.theme()) : QString();
    if (!line.isEmpty() && !source_.meaning.isEmpty()) line += QStringLiteral("  –  ") + source_.meaning;
    emit desk_.pointed(line);
    update();
}

void FigureCanvas::mouseReleaseEvent(QMouseEvent* event) {
    if (event->button() == Qt::LeftButton && pressed_ && !dragged_ && picture_ &&
        picture_->press(event->position(), frame(), desk_.theme())) {
        redraw();
    } else if (event->button() == Qt::LeftButton && pressed_ && !dragged_) {
        desk_.choose(spot_at(event->position()), event->modifiers() & Qt::ShiftModifier);
        emit clicked(event->position(), event->modifiers());
    }
    pressed_.reset();
    dragged_ = false;
    update();
}

void FigureCanvas::mouseDoubleClickEvent(QMouseEvent* event) {
    const figure::Spot spot = spot_at(event->position());
    if (spot.layer >= 0)
        emit desk_.detail_wanted(spot);
    else
        emit double_clicked(event->position());
}

figure::Spot FigureCanvas::spot_at(const QPointF& at) const {
    return picture_ ? picture_->spot_at(at, frame(), desk_.theme()) : figure::Spot{};
}

void FigureCanvas::wheelEvent(QWheelEvent* event) {
    const double factor = std::pow(1.0015, event->angleDelta().y());
    if (picture_ && picture_->zoom(factor, event->position(), frame(), desk_.theme())) {
        redraw();
        event->accept();
    } else {
        event->ignore();
    }
}

void FigureCanvas::leaveEvent(QEvent*) {
    pointer_.reset();
    emit desk_.pointed({});
    update();
}

void FigureCanvas::resizeEvent(QResizeEvent*) { redraw(); }

void FigureCanvas::keyPressEvent(QKeyEvent* event) {
    if (handle_selection_key(desk_, *event)) return;
    const bool plain = event->modifiers() == Qt::NoModifier;
    if (plain && (event->key() == Qt::Key_0 || event->key() == Qt::Key_F))
        fit();
    else if (plain && event->key() == Qt::Key_E)
        emit desk_.export_wanted(this);
    else if (plain && event->key() == Qt::Key_F1)
        emit desk_.explain_wanted(source_.topic);
    else
        QWidget::keyPressEvent(event);
}

std::unique_ptr<QMenu> FigureCanvas::menu_at(const QPointF& at) {
    auto menu = std::make_unique<QMenu>(this);
    if (!picture_) return menu;
    emit menu_opens(*menu, at);
    add_spot_actions(*menu, desk_, spot_at(at));
    add_copy_actions(
        *menu, picture_->describe(at, frame(), desk_.theme()),
        [picture = picture_] { return picture->csv(); }, source_);
    menu->addSeparator();
    menu->addAction(tr("Export figure or numbers…\tE"), this, [this] { emit desk_.export_wanted(this); });
    menu->addAction(tr("See everything\tF"), this, &FigureCanvas::fit);
    menu->addAction(tr("What this shows\tF1"), this, [this] { emit desk_.explain_wanted(source_.topic); });
    return menu;
}

void FigureCanvas::contextMenuEvent(QContextMenuEvent* event) {
    if (picture_) menu_at(event->pos())->exec(event->globalPos());
}

} // namespace vitrine::views
