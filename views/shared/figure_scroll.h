#pragma once
#include <QScrollArea>

#include "views/shared/figure_canvas.h"

namespace vitrine::views {

/// A canvas as wide as what is seen and as high as its picture needs; pictures in a column grow or shrink a
/// little to fill what is there.
class FigureScroll : public QScrollArea {
    Q_OBJECT

public:
    explicit FigureScroll(Desk& desk, QWidget* parent = nullptr);
    FigureCanvas* canvas() { return canvas_; }
    void show_picture(figure::PicturePtr picture, FigureSource source);

protected:
    void resizeEvent(QResizeEvent* event) override;

private:
    void fit();

    Desk& desk_;
    FigureCanvas* canvas_;
};

} // namespace vitrine::views
