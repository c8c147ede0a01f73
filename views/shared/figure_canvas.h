#pragma once
// Shows a picture in a window, with the gestures that are the same in every view.
#include <QPixmap>
#include <QWidget>

#include "views/figure/picture.h"
#include "views/shared/desk.h"

namespace vitrine::views {

/// What the right-click menu gives away besides the picture itself.
struct FigureSource {
    QString name;    ///< of exported files: "attention-L3H5"
    QString command; ///< the command line that gives the same numbers
    Json provenance;
};

/// Wheel zooms at the cursor, drag pans, 0 and F fit, E exports, the right button opens a menu.
class FigureCanvas : public QWidget {
    Q_OBJECT

public:
    explicit FigureCanvas(Desk& desk, QWidget* parent = nullptr);

    /// Shows another picture, or the same one after its numbers changed. The zoom is the picture's.
    void show_picture(figure::PicturePtr picture, FigureSource source);
    const figure::PicturePtr& picture() const { return picture_; }
    /// The rectangle that the picture is painted in.
    QRectF frame() const;

    void fit();
    void export_with_dialog();

    QSize sizeHint() const override;

signals:
    void clicked(const QPointF& at, Qt::KeyboardModifiers keys);
    void double_clicked(const QPointF& at);
    /// Before the menu opens; views add what only they can do.
    void menu_opens(QMenu& menu, const QPointF& at);

protected:
    void paintEvent(QPaintEvent* event) override;
    void mousePressEvent(QMouseEvent* event) override;
    void mouseMoveEvent(QMouseEvent* event) override;
    void mouseReleaseEvent(QMouseEvent* event) override;
    void mouseDoubleClickEvent(QMouseEvent* event) override;
    void wheelEvent(QWheelEvent* event) override;
    void leaveEvent(QEvent* event) override;
    void keyPressEvent(QKeyEvent* event) override;
    void contextMenuEvent(QContextMenuEvent* event) override;
    void resizeEvent(QResizeEvent* event) override;

private:
    void redraw();

    Desk& desk_;
    figure::PicturePtr picture_;
    FigureSource source_;
    QPixmap drawn_;
    std::optional<QPointF> pointer_;
    std::optional<QPointF> pressed_;
    bool dragged_ = false;
};

/// `command` as a Python program that reads its JSON.
QString as_python(const QString& command);
/// Text as one word of a POSIX shell.
QString shell_word(const QString& text);

} // namespace vitrine::views
