#pragma once
// Changes that could be made to a model, what each does, and which are made.
#include <QStringList>
#include <vector>

#include "views/figure/picture.h"

namespace vitrine::figure {

class WhatIf : public Picture {
public:
    struct Row {
        QString name;  ///< as the analysis has it: "zero-value"
        QString words; ///< for people: "Zero its value"
        double delta_loss = 0, control = 0, control_deviation = 0, kl = 0; ///< NaN: not measured
        QString text;                                                      ///< what the model goes on with
        QStringList edits; ///< that make it, in the words of the command line
        bool on = false;
    };
    QString title;
    QString clean_text; ///< the continuation without any change
    double clean_loss = 0;
    std::vector<Row> rows;
    QString said_in_place;

    /// Index of the row at a point, −1 if there is none.
    int row_at(const QPointF& at, const QRectF& in) const;

    QSizeF preferred_size(const Theme& theme) const override;
    double narrowest_width(const Theme&) const override { return 260; }
    void paint(QPainter& painter, const QRectF& in, const Theme& theme) const override;
    void paint_marks(QPainter& painter, const QRectF& in, const Theme& theme,
                     const std::optional<QPointF>& pointer) const override;
    QString describe(const QPointF& at, const QRectF& in, const Theme& theme) const override;
    QString hint(const QPointF& at, const QRectF& in, const Theme& theme) const override;
    QString csv() const override;

private:
    /// All rows, closer together where there is little room; in the least of it without their texts.
    struct Lines {
        double head, row, line; ///< heights
        int size;               ///< of the font
        bool texts, names;      ///< the second line of a row; a line of their own for the columns' names
    };
    Lines lines_in(const QRectF& in) const;
    double scale() const; ///< largest |Δ loss|, its control included
};

} // namespace vitrine::figure
