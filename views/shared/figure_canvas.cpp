#include "views/shared/figure_canvas.h"

#include <QApplication>
#include <QClipboard>
#include <QContextMenuEvent>
#include <QFileDialog>
#include <QMenu>
#include <QMessageBox>
#include <QMouseEvent>
#include <QPainter>
#include <QWheelEvent>

#include "views/figure/export.h"

namespace vitrine::views {

namespace {

constexpr double margin = 10;
constexpr double faded = 0.45; ///< opacity of a picture that waits for its successor

} // namespace

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

FigureCanvas::FigureCanvas(Desk& desk, QWidget* parent) : QWidget(parent), desk_(desk) {
    setMouseTracking(true);
    setFocusPolicy(Qt::StrongFocus);
    connect(&desk_, &Desk::theme_changed, this, &FigureCanvas::redraw);
    connect(&desk_, &Desk::stale_changed, this, qOverload<>(&QWidget::update));
}

void FigureCanvas::show_picture(figure::PicturePtr picture, FigureSource source) {
    picture_ = std::move(picture);
    source_ = std::move(source);
    redraw();
}

QRectF FigureCanvas::frame() const { return QRectF(rect()).adjusted(margin, margin, -margin, -margin); }

QSize FigureCanvas::sizeHint() const {
    if (!picture_) return {200, 120};
    return (picture_->preferred_size(desk_.theme()) + QSizeF(2 * margin, 2 * margin)).toSize();
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
    painter.setOpacity(desk_.stale() ? faded : 1);
    painter.drawPixmap(0, 0, drawn_);
    painter.setRenderHint(QPainter::Antialiasing);
    picture_->paint_marks(painter, frame(), desk_.theme(), pressed_ && dragged_ ? std::nullopt : pointer_);
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
    emit desk_.pointed(picture_ ? picture_->describe(*pointer_, frame(), desk_.theme()) : QString());
    update();
}

void FigureCanvas::mouseReleaseEvent(QMouseEvent* event) {
    if (event->button() == Qt::LeftButton && pressed_ && !dragged_)
        emit clicked(event->position(), event->modifiers());
    pressed_.reset();
    dragged_ = false;
    update();
}

void FigureCanvas::mouseDoubleClickEvent(QMouseEvent* event) { emit double_clicked(event->position()); }

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
    if (event->key() == Qt::Key_0 || event->key() == Qt::Key_F)
        fit();
    else if (event->key() == Qt::Key_E && event->modifiers() == Qt::NoModifier)
        export_with_dialog();
    else
        QWidget::keyPressEvent(event);
}

void FigureCanvas::contextMenuEvent(QContextMenuEvent* event) {
    if (!picture_) return;
    const QPointF at = event->pos();
    const QString line = picture_->describe(at, frame(), desk_.theme());
    QMenu menu(this);
    emit menu_opens(menu, at);
    const auto copy = [&](const QString& title, const QString& text) {
        menu.addAction(title, [text] { QApplication::clipboard()->setText(text); })
            ->setEnabled(!text.isEmpty());
    };
    copy(tr("Copy value"), line);
    menu.addAction(tr("Copy data"), [this] { QApplication::clipboard()->setText(picture_->csv()); });
    copy(tr("Copy as command"), source_.command);
    copy(tr("Copy as Python"), source_.command.isEmpty() ? QString() : as_python(source_.command));
    menu.addSeparator();
    menu.addAction(tr("Export figure…"), this, &FigureCanvas::export_with_dialog);
    menu.addAction(tr("Fit"), this, &FigureCanvas::fit);
    menu.exec(event->globalPos());
}

void FigureCanvas::export_with_dialog() {
    if (!picture_) return;
    const QString wanted = source_.name.isEmpty() ? QStringLiteral("figure") : source_.name;
    const QString file =
        QFileDialog::getSaveFileName(this, tr("Export figure"), wanted + QStringLiteral(".svg"),
                                     tr("Figures (*.svg *.pdf *.png);;Numbers (*.csv)"));
    if (file.isEmpty()) return;
    if (file.endsWith(QLatin1String(".csv"), Qt::CaseInsensitive)) {
        QFile out(file);
        const QByteArray text = picture_->csv().toUtf8();
        if (!out.open(QIODevice::WriteOnly) || out.write(text) != text.size() || !out.flush())
            QMessageBox::warning(this, tr("Export figure"),
                                 tr("%1 cannot be written: %2.").arg(file, out.errorString()));
        return;
    }
    figure::ExportOptions options;
    options.size = frame().size();
    options.title = wanted.toStdString();
    options.provenance = source_.provenance;
    const Status written =
        figure::export_figure(*picture_, file.toStdString(), figure::make_theme(false), options);
    if (!written)
        QMessageBox::warning(this, tr("Export figure"), QString::fromStdString(written.error().message));
}

} // namespace vitrine::views
