#pragma once
// Colour maps that are even to the eye and survive colour blindness, and scales that say what a colour means.
#include <QColor>
#include <QString>
#include <vector>

namespace vitrine::figure {

enum class Map {
    cividis,        ///< amounts (Nuñez, Anderton & Renslow 2018)
    viridis,        ///< amounts (van der Walt & Smith)
    sink,           ///< amounts in the columns of attention sinks: as dark and as bright as cividis, but rose
    diverging,      ///< differences on a light ground: blue, white, orange
    diverging_dark, ///< differences on a dark ground: the centre is dark
};

/// Colour at t in [0, 1]; values outside are clamped.
QColor colour_at(Map map, double t);

/// Relative luminance of WCAG 2, in [0, 1].
double luminance(const QColor& colour);
/// Contrast ratio of WCAG 2, in [1, 21].
double contrast(const QColor& a, const QColor& b);
/// Black or white, whichever reads better on `ground` (at least 4.58:1).
QColor text_on(const QColor& ground);
/// `top` laid over `ground` with that opacity.
QColor blend(const QColor& ground, const QColor& top, double opacity);

/// What the colours of a picture mean.
struct ColourScale {
    Map map = Map::cividis;
    double min = 0;
    double max = 1;
    bool log = false; ///< by log10, from `floor` (everything below has the floor's colour)
    double floor = 1e-4;
    QString unit; ///< "attention", "nats"; drawn beside the colour bar

    /// Where a value lies on the scale, in [0, 1].
    double position(double value) const;
    /// Colour of a value. NaN has none: an invalid colour.
    QColor colour(double value) const;
    /// Round values to write beside the colour bar, rising.
    std::vector<double> ticks() const;
};

/// Round values inside [min, max], about `count` of them: multiples of 1, 2 or 5 times a power of ten.
std::vector<double> round_ticks(double min, double max, int count);

} // namespace vitrine::figure
