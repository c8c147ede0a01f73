#include "views/figure/column.h"

#include <algorithm>
#include <cmath>

namespace vitrine::figure {

namespace {

constexpr double gap = 22;

} // namespace

std::vector<QRectF> Column::places(const QPointF& origin, double width, const Theme& theme) const {
    std::vector<QRectF> out;
    double x = 0, y = 0, tallest = 0;
    for (const PicturePtr& part : parts) {
        QSizeF size = part->preferred_size(theme);
        const double narrow = part->narrowest_width(theme);
        if (narrow < size.width() && parts.size() > 1) {
            const double across = std::max(1.0, std::floor((width + gap) / (narrow + gap)));
            size.setWidth(std::min(size.width(), (width - (across - 1) * gap) / across - 0.5));
        }
        size.setWidth(std::min(size.width(), width));
        if (x > 0 && x + size.width() > width) x = 0, y += tallest + gap, tallest = 0;
        out.emplace_back(origin + QPointF(x, y), size);
        x += size.width() + gap;
        tallest = std::max(tallest, size.height());
    }
    return out;
}

QSizeF Column::preferred_size(const Theme& theme) const {
    double width = 200;
    for (const PicturePtr& part : parts)
        width = std::max(width, part->preferred_size(theme).width());
    double height = 0;
    for (const QRectF& place : places({0, 0}, width, theme))
        height = std::max(height, place.bottom());
    return {width, height};
}

void Column::paint(QPainter& painter, const QRectF& in, const Theme& theme) const {
    const auto laid = places(in.topLeft(), in.width(), theme);
    for (std::size_t i = 0; i < parts.size(); ++i)
        parts[i]->paint(painter, laid[i], theme);
}

void Column::paint_marks(QPainter& painter, const QRectF& in, const Theme& theme,
                         const std::optional<QPointF>& pointer) const {
    const auto laid = places(in.topLeft(), in.width(), theme);
    for (std::size_t i = 0; i < parts.size(); ++i)
        parts[i]->paint_marks(painter, laid[i], theme,
                              pointer && laid[i].contains(*pointer) ? pointer : std::nullopt);
}

QString Column::describe(const QPointF& at, const QRectF& in, const Theme& theme) const {
    const auto laid = places(in.topLeft(), in.width(), theme);
    for (std::size_t i = 0; i < parts.size(); ++i)
        if (laid[i].contains(at)) return parts[i]->describe(at, laid[i], theme);
    return {};
}

QString Column::csv() const {
    QString out;
    for (const PicturePtr& part : parts)
        out += (out.isEmpty() ? QString() : QStringLiteral("\n")) + part->csv();
    return out;
}

} // namespace vitrine::figure
