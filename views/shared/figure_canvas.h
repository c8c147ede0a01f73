#pragma once
// Shows a picture in a window, with the gestures that are the same in every view.
#include <QPixmap>
#include <QWidget>
#include <memory>

#include "views/figure/picture.h"
#include "views/shared/desk.h"
#include "views/shared/figure_source.h"

class QMenu;

namespace vitrine::views {

/// Hover says what is there, click selects it, Shift-click compares with it, double-click opens its detail;
/// the wheel zooms at the cursor, dragging pans, 0 and F fit, E exports, F1 explains; the right button opens
/// a menu; arrows and Space as in gestures.h.
class FigureCanvas : public QWidget {
    Q_OBJECT

public:
    explicit FigureCanvas(Desk& desk, QWidget* parent = nullptr);

    /// Shows another picture, or the same one after its numbers changed. The zoom is the picture's.
    void show_picture(figure::PicturePtr picture, FigureSource source);
    const figure::PicturePtr& picture() const { return picture_; }
    const FigureSource& source() const { return source_; }
    /// The rectangle that the picture is painted in.
    QRectF frame() const;

    void fit();
    /// The picture waits for its successor: it fades a little.
    void set_waiting(bool on);
    /// Paints the picture anew: its layout has changed.
    void redraw();
    /// The menu of the right button at a point.
    std::unique_ptr<QMenu> menu_at(const QPointF& at);

    QSize sizeHint() const override;

signals:
    void clicked(const QPointF& at, Qt::KeyboardModifiers keys);
    /// Not where the picture has a detail of its own (Desk::detail_wanted).
    void double_clicked(const QPointF& at);
    /// Before the menu opens; views add what only they can do.
    void menu_opens(QMenu& menu, const QPointF& at);

protected:
    bool event(QEvent* event) override;
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
    void select();
    figure::Spot spot_at(const QPointF& at) const;

    Desk& desk_;
    figure::PicturePtr picture_;
    FigureSource source_;
    QPixmap drawn_;
    std::optional<QPointF> pointer_;
    std::optional<QPointF> pressed_;
    bool dragged_ = false;
    bool waiting_ = false;
};

} // namespace vitrine::views
