#include "views/shared/figure_scroll.h"

#include <algorithm>

#include "views/figure/column.h"

namespace vitrine::views {

namespace {

constexpr double canvas_margin = 20; ///< of the canvas, both sides

} // namespace

FigureScroll::FigureScroll(Desk& desk, QWidget* parent)
    : QScrollArea(parent), desk_(desk), canvas_(new FigureCanvas(desk, this)) {
    setWidget(canvas_);
    setFrameShape(QFrame::NoFrame);
    setHorizontalScrollBarPolicy(Qt::ScrollBarAlwaysOff);
    connect(&desk_, &Desk::theme_changed, this, &FigureScroll::fit);
}

void FigureScroll::show_picture(figure::PicturePtr picture, FigureSource source) {
    canvas_->show_picture(std::move(picture), std::move(source));
    fit();
}

void FigureScroll::resizeEvent(QResizeEvent* event) {
    QScrollArea::resizeEvent(event);
    fit();
}

void FigureScroll::fit() {
    const QSize seen = viewport()->size();
    int height = seen.height();
    if (const auto column = std::dynamic_pointer_cast<figure::Column>(canvas_->picture())) {
        column->fill(QSizeF(seen) - QSizeF(canvas_margin, canvas_margin + 4), desk_.theme());
        for (const QRectF& place : column->places({0, 0}, seen.width() - canvas_margin, desk_.theme()))
            height = std::max(height, static_cast<int>(place.bottom() + canvas_margin + 4));
    }
    canvas_->resize(seen.width(), height);
    canvas_->redraw();
}

} // namespace vitrine::views
