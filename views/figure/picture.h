#pragma once
// What can be drawn: on a widget, into a file, into a report.
#include <QPainter>
#include <QRectF>
#include <QString>
#include <memory>
#include <optional>

#include "views/figure/text.h"
#include "views/figure/theme.h"

namespace vitrine::figure {

/// What lies under a point in the coordinates of the selection; −1: the picture has no such axis there.
struct Spot {
    int layer = -1;
    int head = -1;
    int query = -1; ///< also any position
    int key = -1;
    bool empty() const { return layer < 0 && head < 0 && query < 0 && key < 0; }
    bool operator==(const Spot&) const = default;
};

/// A picture of some numbers. All sizes are pixels at 96 per inch. Thread: that of the caller.
class Picture {
public:
    virtual ~Picture() = default;

    /// Size at which the picture reads well by itself.
    virtual QSizeF preferred_size(const Theme& theme) const = 0;
    /// Width down to which it may shrink where pictures stand side by side.
    virtual double narrowest_width(const Theme& theme) const { return preferred_size(theme).width(); }
    /// Whether it says more, or reads better, the larger it is.
    virtual bool grows() const { return false; }
    /// Whether, as the first of several, it is the main picture and the others stand beside it.
    virtual bool leads() const { return false; }
    /// How small, as a share of its preferred size, it may become so that a page need not scroll.
    virtual double least_growth() const { return 0.8; }
    /// Height that it needs at a width, of its preferred height or more.
    virtual double height_at(double /*width*/, const Theme& theme) const {
        return preferred_size(theme).height();
    }
    /// Draws inside `in`. Leaves the background alone.
    virtual void paint(QPainter& painter, const QRectF& in, const Theme& theme) const = 0;
    /// Draws what changes often on top: selection, and what is under the pointer.
    virtual void paint_marks(QPainter& /*painter*/, const QRectF& /*in*/, const Theme& /*theme*/,
                             const std::optional<QPointF>& /*pointer*/) const {}
    /// Marks what is selected where the picture has such axes; drawn by paint_marks().
    virtual void select(const Spot& /*here*/) {}
    /// Whether what paint() draws depends on the selection.
    virtual bool follows_selection() const { return false; }
    /// Zooms by `factor` around a point, or moves what is seen; false if the picture has no such thing.
    virtual bool zoom(double /*factor*/, const QPointF& /*at*/, const QRectF& /*in*/,
                      const Theme& /*theme*/) {
        return false;
    }
    virtual bool pan(const QPointF& /*by*/, const QRectF& /*in*/, const Theme& /*theme*/) { return false; }
    /// Everything in sight again.
    virtual void fit() {}
    /// A click on a part that changes the picture itself, such as a column's name; false if there is none.
    virtual bool press(const QPointF& /*at*/, const QRectF& /*in*/, const Theme& /*theme*/) { return false; }
    /// While a file is painted, everything is drawn as it is: nothing is left for later.
    virtual void for_file(bool /*on*/) {}
    /// One line on what lies at a point: where it is, and its value. Empty where there is nothing.
    virtual QString describe(const QPointF& /*at*/, const QRectF& /*in*/, const Theme& /*theme*/) const {
        return {};
    }
    /// What there was no room for at a point; shown when the pointer rests there.
    virtual QString hint(const QPointF& /*at*/, const QRectF& /*in*/, const Theme& /*theme*/) const {
        return {};
    }
    virtual Spot spot_at(const QPointF& /*at*/, const QRectF& /*in*/, const Theme& /*theme*/) const {
        return {};
    }
    /// The numbers behind the picture, comma-separated with a line of names.
    virtual QString csv() const = 0;

protected:
    Picture() = default;
    Picture(const Picture&) = default;
    Picture& operator=(const Picture&) = default;
};

using PicturePtr = std::shared_ptr<Picture>;

/// A field of comma-separated text: quoted where it must be.
QString csv_field(const QString& text);
/// A number that reads back exactly; empty for NaN.
QString csv_number(double value);

/// Draws text inside `box` with a font and colour; returns its width.
double draw_text(QPainter& painter, const QRectF& box, int flags, const QString& text, const QFont& font,
                 const QColor& colour);

/// Draws a vertical colour bar with ticks and its unit inside `box`; `marked`: a second bar for sink columns.
void paint_colour_bar(QPainter& painter, const QRectF& box, const ColourScale& scale, bool marked,
                      const Theme& theme);
/// The same lying down: the unit to the left, one bar above the other; 44 pixels high, 62 with two bars.
void paint_flat_colour_bar(QPainter& painter, const QRectF& box, const ColourScale& scale, bool marked,
                           const Theme& theme);
/// Width that paint_colour_bar needs.
double colour_bar_width(const ColourScale& scale, bool marked, const Theme& theme);

} // namespace vitrine::figure
