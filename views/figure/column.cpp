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
        const double grown = part->grows() ? magnified : 1;
        QSizeF size = part->preferred_size(theme) * grown;
        const double narrow = part->narrowest_width(theme) * std::min(1.0, grown);
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

void Column::fill(const QSizeF& room, const Theme& theme) {
    // From large to small, so that the first that fits is the largest; below 0.8 numbers leave their cells,
    // and scrolling is better.
    for (const double size : {2.4, 2.2, 2.0, 1.8, 1.6, 1.5, 1.4, 1.3, 1.2, 1.1, 1.0, 0.95, 0.9, 0.85, 0.8}) {
        magnified = size;
        double bottom = 0;
        for (const QRectF& place : places({0, 0}, room.width(), theme))
            bottom = std::max(bottom, place.bottom());
        if (bottom <= room.height()) return;
    }
    magnified = 1;
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

Spot Column::spot_at(const QPointF& at, const QRectF& in, const Theme& theme) const {
    const auto laid = places(in.topLeft(), in.width(), theme);
    for (std::size_t i = 0; i < laid.size(); ++i)
        if (laid[i].contains(at)) return parts[i]->spot_at(at, laid[i], theme);
    return {};
}

void Column::select(const Spot& here) {
    for (const PicturePtr& part : parts)
        part->select(here);
}

bool Column::zoom(double factor, const QPointF& at, const QRectF& in, const Theme& theme) {
    const auto laid = places(in.topLeft(), in.width(), theme);
    for (std::size_t i = 0; i < laid.size(); ++i)
        if (laid[i].contains(at) && parts[i]->zoom(factor, at, laid[i], theme)) {
            zoomed_ = i;
            return true;
        }
    return false;
}

bool Column::pan(const QPointF& by, const QRectF& in, const Theme& theme) {
    const auto laid = places(in.topLeft(), in.width(), theme);
    return zoomed_ < parts.size() && parts[zoomed_]->pan(by, laid[zoomed_], theme);
}

void Column::fit() {
    for (const PicturePtr& part : parts)
        part->fit();
}

QString Column::csv() const {
    QString out;
    for (const PicturePtr& part : parts)
        out += (out.isEmpty() ? QString() : QStringLiteral("\n")) + part->csv();
    return out;
}

} // namespace vitrine::figure
