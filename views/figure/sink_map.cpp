#include "views/figure/sink_map.h"

#include <algorithm>
#include <cmath>

namespace vitrine::figure {

namespace {

constexpr double words_height = 44; ///< two lines above the map

// Diagonal lines, each cut to the box by hand: vector files know no clip.
void hatch(QPainter& painter, const QRectF& box, const QPen& pen) {
    constexpr double gap = 6;
    painter.setPen(pen);
    for (double start = box.left() - box.height(); start < box.right(); start += gap) {
        // From (start, bottom) up to (start + height, top).
        const double from = std::max(start, box.left()), to = std::min(start + box.height(), box.right());
        if (to > from)
            painter.drawLine(QPointF(from, box.bottom() - (from - start)),
                             QPointF(to, box.bottom() - (to - start)));
    }
}

} // namespace

SinkMap::SinkMap(int layers, int heads, int keys, std::vector<double> alpha, std::vector<double> uniform,
                 QStringList tokens, const Theme& theme)
    : layers_(layers), heads_(heads), keys_(keys), alpha_(std::move(alpha)), uniform_(std::move(uniform)),
      tokens_(std::move(tokens)) {
    map_.row_title = strip_.row_title = QStringLiteral("layer");
    map_.col_title = QStringLiteral("head");
    strip_.col_title = QStringLiteral("key");
    for (int layer = 0; layer < layers_; ++layer)
        map_.row_labels << QStringLiteral("L%1").arg(layer);
    for (int head = 0; head < heads_; ++head)
        map_.col_labels << QStringLiteral("H%1").arg(head);
    strip_.row_labels = map_.row_labels;
    strip_.col_labels = tokens_;
    std::vector<float> largest;
    for (int layer = 0; layer < layers_; ++layer)
        for (int key = 0; key < keys_; ++key) {
            double most = 0;
            for (int head = 0; head < heads_; ++head)
                if (std::abs(at(layer, head, key)) > std::abs(most)) most = at(layer, head, key);
            largest.push_back(static_cast<float>(most));
        }
    strip_.values = make_matrix(layers_, keys_, std::move(largest));
    set_scale(theme);
    choose_key(0);
}

void SinkMap::set_scale(const Theme& theme) {
    double low = 0;
    for (const double value : alpha_)
        low = std::min(low, value);
    difference = low < 0;
    ColourScale scale; // the same for every key and text
    scale.min = difference ? -1 : 0;
    scale.max = 1;
    scale.map = difference ? theme.differences() : theme.amounts;
    scale.unit = QStringLiteral("alpha");
    map_.style.scale = strip_.style.scale = scale;
}

double SinkMap::at(int layer, int head, int key) const {
    return alpha_[static_cast<std::size_t>((layer * heads_ + head) * keys_ + key)];
}

QString SinkMap::token(int key) const { return key < tokens_.size() ? tokens_[key] : QString(); }

bool SinkMap::sinks(int layer, int head, int key) const {
    return !difference && !hatched(key) && at(layer, head, key) > epsilon;
}

int SinkMap::count(int key) const {
    int out = 0;
    for (int layer = 0; layer < layers_; ++layer)
        for (int head = 0; head < heads_; ++head)
            out += sinks(layer, head, key);
    return out;
}

void SinkMap::choose_key(int key) {
    key_ = std::clamp(key, 0, std::max(0, keys_ - 1));
    std::vector<float> values;
    for (int layer = 0; layer < layers_; ++layer)
        for (int head = 0; head < heads_; ++head)
            values.push_back(static_cast<float>(at(layer, head, key_)));
    map_.values = make_matrix(layers_, heads_, std::move(values));
}

void SinkMap::select(const Spot& here) {
    if (here.key >= 0 && here.key < keys_ && here.key != key_) choose_key(here.key);
    map_.select(here);
    strip_.select({-1, -1, -1, key_});
}

SinkMap::Places SinkMap::places(const QRectF& in) const {
    const double room = in.height() - words_height;
    const double strip = std::clamp(room * 0.36, 90.0, 26.0 * layers_ + 110);
    return {QRectF(in.left(), in.top() + words_height, in.width(), std::max(60.0, room - strip - 26)),
            QRectF(in.left(), in.bottom() - strip, in.width(), strip)};
}

QSizeF SinkMap::preferred_size(const Theme&) const {
    return {std::clamp(heads_ * 44.0 + 160, 420.0, 1000.0), std::clamp(layers_ * 42.0 + 240, 360.0, 1200.0)};
}

void SinkMap::paint(QPainter& painter, const QRectF& in, const Theme& theme) const {
    if (!said_in_place.isEmpty() || keys_ == 0) {
        painter.setFont(theme.font(13));
        painter.setPen(theme.muted);
        painter.drawText(in, Qt::AlignCenter | Qt::TextWordWrap, said_in_place);
        return;
    }
    const double named =
        draw_text(painter, QRectF(in.left(), in.top(), in.width(), 18), Qt::AlignLeft | Qt::AlignVCenter,
                  QStringLiteral("Alpha of key %1 ").arg(key_), theme.font(13, true), theme.text);
    draw_text(painter, QRectF(in.left() + named + 6, in.top(), in.width() - named - 6, 18),
              Qt::AlignLeft | Qt::AlignVCenter, token(key_), theme.fixed_font(13), theme.key);
    const int queries = keys_ - key_;
    QString said;
    if (difference) {
        said = QStringLiteral("A − B: mean attention that the key gets from the queries that see it");
    } else if (hatched(key_)) {
        said =
            QStringLiteral("only %1 see it, so its alpha says little: no head counts as sinking")
                .arg(queries == 1 ? QStringLiteral("one query") : QStringLiteral("%1 queries").arg(queries));
    } else {
        const int sinking = count(key_), all = layers_ * heads_;
        said = QStringLiteral("%1 of %2 heads above %3 (%4), marked")
                   .arg(sinking)
                   .arg(all)
                   .arg(tick(epsilon), percent(static_cast<double>(sinking) / all));
    }
    if (static_cast<std::size_t>(key_) < uniform_.size() && !difference)
        said +=
            QStringLiteral(" · an even spread has %1").arg(number(uniform_[static_cast<std::size_t>(key_)]));
    draw_text(painter, QRectF(in.left(), in.top() + 19, in.width(), 18), Qt::AlignLeft | Qt::AlignVCenter,
              elided(said, theme.font(), in.width()), theme.font(), theme.muted);

    const Places laid = places(in);
    map_.paint(painter, laid.map, theme);
    const Heatmap::Layout map = map_.layout(laid.map, theme);
    painter.save();
    painter.setRenderHint(QPainter::Antialiasing, true);
    if (hatched(key_) && !difference) hatch(painter, map.cells, QPen(theme.panel, 1));
    // A mark in the corner leaves the number in the cell free.
    const double size = std::clamp(std::min(map.cell_width, map.cell_height) * 0.12, 2.0, 3.5);
    for (int layer = 0; layer < layers_; ++layer)
        for (int head = 0; head < heads_; ++head) {
            if (!sinks(layer, head, key_)) continue;
            const QPointF corner(map.cells.left() + (head + 1) * map.cell_width - size - 1.5,
                                 map.cells.top() + layer * map.cell_height + size + 1.5);
            painter.setPen(QPen(theme.panel, 1));
            painter.setBrush(theme.sink);
            painter.drawEllipse(corner, size, size);
        }
    painter.restore();

    draw_text(painter, QRectF(in.left(), laid.strip.top() - 20, in.width(), 18),
              Qt::AlignLeft | Qt::AlignVCenter, QStringLiteral("Largest head of each layer, by key"),
              theme.font(13, true), theme.text);
    strip_.paint(painter, laid.strip, theme);
    const Heatmap::Layout strip = strip_.layout(laid.strip, theme);
    const int first = std::max(0, keys_ - fewest_queries + 1);
    painter.save();
    painter.setRenderHint(QPainter::Antialiasing, true);
    if (!difference)
        hatch(painter,
              QRectF(QPointF(strip.cells.left() + first * strip.cell_width, strip.cells.top()),
                     strip.cells.bottomRight()),
              QPen(theme.panel, 1.2));
    painter.restore();
}

void SinkMap::paint_marks(QPainter& painter, const QRectF& in, const Theme& theme,
                          const std::optional<QPointF>& pointer) const {
    if (!said_in_place.isEmpty() || keys_ == 0) return;
    const Places laid = places(in);
    const auto inside = [&](const QRectF& place) {
        return pointer && place.contains(*pointer) ? pointer : std::nullopt;
    };
    map_.paint_marks(painter, laid.map, theme, inside(laid.map));
    strip_.paint_marks(painter, laid.strip, theme, inside(laid.strip));
}

QString SinkMap::describe(const QPointF& point, const QRectF& in, const Theme& theme) const {
    if (!said_in_place.isEmpty() || keys_ == 0) return {};
    const Places laid = places(in);
    if (const auto cell = map_.cell_at(point, laid.map, theme)) {
        const int layer = cell->y(), head = cell->x();
        QString out = QStringLiteral("L%1 H%2 · key %3 %4 · alpha %5")
                          .arg(layer)
                          .arg(head)
                          .arg(key_)
                          .arg(token(key_), number(at(layer, head, key_)));
        if (sinks(layer, head, key_)) out += QStringLiteral(" · sinks (above %1)").arg(tick(epsilon));
        return out + QStringLiteral("  –  mean attention that the key gets from the queries that see it");
    }
    if (const auto cell = strip_.cell_at(point, laid.strip, theme)) {
        const int layer = cell->y(), key = cell->x();
        int best = 0;
        for (int head = 0; head < heads_; ++head)
            if (std::abs(at(layer, head, key)) > std::abs(at(layer, best, key))) best = head;
        QString out = QStringLiteral("L%1 · key %2 %3 · largest alpha %4, of H%5")
                          .arg(layer)
                          .arg(key)
                          .arg(token(key), number(at(layer, best, key)))
                          .arg(best);
        if (hatched(key)) out += QStringLiteral("  –  hatched: fewer than 8 queries see it");
        return out;
    }
    return {};
}

Spot SinkMap::spot_at(const QPointF& point, const QRectF& in, const Theme& theme) const {
    Spot out;
    const Places laid = places(in);
    if (const auto cell = map_.cell_at(point, laid.map, theme)) {
        out.layer = cell->y();
        out.head = cell->x();
    } else if (const auto on_strip = strip_.cell_at(point, laid.strip, theme)) {
        // A key is chosen on this ruler: every query after it may ask for it, so the last one does.
        out.key = on_strip->x();
        out.query = keys_ - 1;
    }
    return out;
}

QString SinkMap::csv() const {
    QString out = QStringLiteral("layer,head,key,alpha,uniform\n");
    for (int layer = 0; layer < layers_; ++layer)
        for (int head = 0; head < heads_; ++head)
            for (int key = 0; key < keys_; ++key)
                out += QStringLiteral("%1,%2,%3,%4,%5\n")
                           .arg(layer)
                           .arg(head)
                           .arg(key)
                           .arg(csv_number(at(layer, head, key)),
                                static_cast<std::size_t>(key) < uniform_.size()
                                    ? csv_number(uniform_[static_cast<std::size_t>(key)])
                                    : QString());
    return out;
}

} // namespace vitrine::figure
