#pragma once
// A table of words and numbers, and text by itself.
#include <QStringList>

#include "views/figure/picture.h"

namespace vitrine::figure {

class Table : public Picture {
public:
    QString title;
    QStringList columns;
    std::vector<bool> numeric; ///< per column: set in the fixed font, to the right
    std::vector<QStringList> rows;

    QSizeF preferred_size(const Theme& theme) const override;
    void paint(QPainter& painter, const QRectF& in, const Theme& theme) const override;
    QString describe(const QPointF& at, const QRectF& in, const Theme& theme) const override;
    QString csv() const override;

private:
    std::vector<double> widths(const Theme& theme, double room) const;
};

/// One number with its name, or a paragraph.
class Card : public Picture {
public:
    QString title;
    QString big;  ///< the number
    QString text; ///< words beneath, wrapped

    QSizeF preferred_size(const Theme& theme) const override;
    double narrowest_width(const Theme& theme) const override {
        const double preferred = preferred_size(theme).width();
        return text.isEmpty() ? preferred : std::min(preferred, 230.0);
    }
    double height_at(double width, const Theme& theme) const override;
    void paint(QPainter& painter, const QRectF& in, const Theme& theme) const override;
    QString csv() const override;
};

} // namespace vitrine::figure
