#include "views/figure/column.h"

#include <algorithm>
#include <cmath>

namespace vitrine::figure {

namespace {

constexpr double column_gap = 22;

} // namespace

// Rows are filled as long as the narrowest widths fit; what is left over widens a row's parts to what they
// prefer.
double Column::place_rows(std::size_t first, std::size_t last, const QRectF& room, const Theme& theme,
                          std::vector<QRectF>& out) const {
    double y = room.top();
    for (std::size_t from = first; from < last;) {
        std::size_t end = from;
        double narrow = 0, wide = 0;
        std::vector<std::pair<double, QSizeF>> row; // narrowest width, preferred size
        for (; end < last; ++end) {
            const double grown = parts[end]->grows() ? std::max(magnified, parts[end]->least_growth()) : 1;
            QSizeF size = parts[end]->preferred_size(theme) * grown;
            size.setWidth(std::min(size.width(), room.width()));
            const double least = std::min(parts[end]->narrowest_width(theme), size.width());
            const double gaps = column_gap * static_cast<double>(end - from);
            // Numbers and words stand in rows of their own: pictures get the whole width.
            const bool alike = parts[end]->grows() == parts[from]->grows();
            if (end > from && (!alike || narrow + least + gaps > room.width())) break;
            narrow += least;
            wide += size.width();
            row.emplace_back(least, size);
        }
        const double spare = room.width() - column_gap * static_cast<double>(row.size() - 1) - narrow;
        const double share = wide > narrow ? std::clamp(spare / (wide - narrow), 0.0, 1.0) : 0;
        double x = room.left(), tallest = 0;
        for (std::size_t at = 0; at < row.size(); ++at) {
            QSizeF size = row[at].second;
            size.setWidth(row[at].first + share * (size.width() - row[at].first));
            const Picture& part = *parts[from + at];
            if (!part.grows()) size.setHeight(part.height_at(size.width(), theme));
            out.emplace_back(QPointF(x, y), size);
            x += size.width() + column_gap;
            tallest = std::max(tallest, size.height());
        }
        y += tallest + column_gap;
        from = end;
    }
    return y - column_gap;
}

std::size_t Column::words() const {
    std::size_t out = parts.size();
    while (out > 1 && !parts[out - 1]->grows())
        --out;
    return out;
}

bool Column::has_lead(double width, const Theme& theme) const {
    return parts.size() > 2 && parts.front()->leads() && parts.front()->narrowest_width(theme) <= width / 2;
}

std::vector<QRectF> Column::places(const QPointF& origin, double width, const Theme& theme) const {
    std::vector<QRectF> out;
    if (exact && !room_.isEmpty()) {
        const auto count = static_cast<double>(parts.size());
        const bool across = room_.width() > 2 * room_.height();
        const QSizeF each = across ? QSizeF((width - column_gap * (count - 1)) / count, room_.height())
                                   : QSizeF(width, (room_.height() - column_gap / 2 * (count - 1)) / count);
        for (std::size_t at = 0; at < parts.size(); ++at) {
            const auto before = static_cast<double>(at);
            out.emplace_back(origin + (across ? QPointF(before * (each.width() + column_gap), 0)
                                              : QPointF(0, before * (each.height() + column_gap / 2))),
                             each);
        }
        return out;
    }
    if (!has_lead(width, theme)) {
        place_rows(0, parts.size(), QRectF(origin, QSizeF(width, 0)), theme, out);
        return out;
    }
    // Left the main picture with the words beneath it, right all other pictures.
    const double half = width / 2 - column_gap / 2;
    out.emplace_back(origin, QSizeF(half, lead_height));
    place_rows(1, words(), QRectF(origin.x() + half + column_gap, origin.y(), half, 0), theme, out);
    place_rows(words(), parts.size(), QRectF(origin.x(), origin.y() + lead_height + column_gap, half, 0),
               theme, out);
    return out;
}

void Column::fill(const QSizeF& room, const Theme& theme) {
    room_ = room;
    if (exact) return;
    if (has_lead(room.width(), theme)) {
        std::vector<QRectF> beneath;
        place_rows(words(), parts.size(), QRectF(0, 0, room.width() / 2 - column_gap / 2, 0), theme, beneath);
        double height = 0;
        for (const QRectF& place : beneath)
            height = std::max(height, place.bottom() + column_gap);
        const double least = parts.front()->preferred_size(theme).height() * parts.front()->least_growth();
        lead_height = std::clamp(room.height() - height, least, 900.0);
    }
    // From large to small, so that the first that fits is the largest. Below 0.8 numbers leave the cells of
    // maps, but stay under the pointer; each part says how far down it can be read.
    for (const double size : {2.4, 2.2,  2.0, 1.8,  1.6, 1.5,  1.4, 1.3,  1.2, 1.1,  1.0, 0.95,
                              0.9, 0.85, 0.8, 0.75, 0.7, 0.65, 0.6, 0.55, 0.5, 0.45, 0.4}) {
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

bool Column::follows_selection() const {
    return std::any_of(parts.begin(), parts.end(),
                       [](const PicturePtr& part) { return part->follows_selection(); });
}

bool Column::press(const QPointF& at, const QRectF& in, const Theme& theme) {
    const auto laid = places(in.topLeft(), in.width(), theme);
    for (std::size_t i = 0; i < laid.size(); ++i)
        if (laid[i].contains(at)) return parts[i]->press(at, laid[i], theme);
    return false;
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
