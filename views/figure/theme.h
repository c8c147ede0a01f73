#pragma once
// The look of every picture and widget: one palette for light, one for dark, and the system's fonts.
#include <QFont>
#include <QString>

#include "views/figure/colour.h"

namespace vitrine::figure {

struct Theme {
    bool dark = false;
    QColor window; ///< behind everything
    QColor panel;  ///< behind pictures, lists and text
    QColor text;
    QColor muted; ///< titles of axes, units, what is secondary; still 4.5:1 on window and panel
    QColor line;  ///< thin separators
    QColor accent;
    QColor query; ///< the selected query token
    QColor key;   ///< the selected key token
    QColor sink;  ///< words and marks about sinks
    QColor good;
    QColor warning;
    Map amounts = Map::cividis;
    QString words; ///< family for words
    QString fixed; ///< family for tokens and numbers

    /// Differences, on this ground.
    Map differences() const { return dark ? Map::diverging_dark : Map::diverging; }
    /// Font for words; sizes are pixels at 96 per inch, so that 12 is 9 pt.
    QFont font(int pixels = 12, bool bold = false) const;
    /// Font for tokens and numbers.
    QFont fixed_font(int pixels = 12) const;
};

/// A palette with the system's fonts. Needs a QGuiApplication.
Theme make_theme(bool dark);

} // namespace vitrine::figure
