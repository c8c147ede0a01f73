#include "views/figure/lanes.h"

#include <QFontMetricsF>
#include <algorithm>
#include <cmath>

#include "views/figure/series.h"

namespace vitrine::figure {

namespace {

constexpr double names = 114; ///< width of the lanes' names
constexpr double ticks = 46;  ///< and of their ticks
constexpr double text_height = 18;
constexpr double lane_gap = 8; ///< between lanes
constexpr double longest_token = 70;

// Two digits are enough to say how far a scale goes.
QString tick_of(double value) {
    return std::abs(value) >= 10 || value == std::round(value) ? decimal(value, 0)
           : std::abs(value) >= 0.1                            ? decimal(value, 1)
                                                               : number(value);
}

} // namespace

std::size_t Lanes::steps() const {
    std::size_t out = 0;
    for (const Run& run : runs)
        out = std::max(out, run.ids.size());
    return out;
}

QString Lanes::token_of(std::size_t run, std::size_t step) const {
    const QStringList& tokens = runs[run].tokens;
    return static_cast<int>(step) < tokens.size() ? tokens[static_cast<int>(step)] : QString();
}

double Lanes::longest() const { return runs.size() > 1 ? 50 : longest_token; }

QSizeF Lanes::preferred_size(const Theme&) const {
    return {std::clamp(static_cast<double>(steps()) * 22 + names + ticks, 520.0, 1400.0),
            static_cast<double>(lanes.size()) * 62 + 120};
}

Lanes::Layout Lanes::layout(const QRectF& in, const Theme& theme) const {
    Layout out;
    const QFontMetricsF metrics(theme.fixed_font());
    double widest = 14;
    for (const Run& run : runs)
        for (const QString& token : run.tokens)
            widest = std::max(widest, std::min(metrics.horizontalAdvance(token), longest()));
    const auto rows = static_cast<double>(std::min<std::size_t>(runs.size(), 2));
    out.ruler = rows * (widest + 6) + 4;
    const double head = (title.isEmpty() ? 0 : text_height + 2) + (runs.size() > 1 ? text_height : 0) +
                        (said.isEmpty() ? 0 : text_height);
    out.plot =
        QRectF(in.left() + names + ticks, in.top() + head + 4, std::max(20.0, in.width() - names - ticks - 8),
               std::max(20.0, in.height() - head - out.ruler - 8));
    out.lane = out.plot.height() / static_cast<double>(std::max<std::size_t>(1, lanes.size()));
    // A few steps do not stretch over the whole width: what lies apart is hard to compare.
    const auto all = static_cast<double>(std::max<std::size_t>(1, steps()));
    out.seen = seen_ > 0 ? std::min(seen_, all) : all;
    out.first = std::clamp(first_, 0.0, all - out.seen);
    out.slot = std::min(out.plot.width() / out.seen, 60.0);
    out.plot.setWidth(out.slot * out.seen);
    out.every = std::max(1, static_cast<int>(std::ceil(13 / out.slot)));
    return out;
}

QRectF Lanes::lane_box(const Layout& laid, std::size_t at) const {
    return {laid.plot.left(), laid.plot.top() + static_cast<double>(at) * laid.lane, laid.plot.width(),
            std::max(4.0, laid.lane - lane_gap)};
}

Lanes::Scale Lanes::scale_of(const Lane& lane) const {
    double low = INFINITY, high = -INFINITY;
    for (const Line& part : lane.lines)
        for (const auto& values : part.values)
            for (const double value : values)
                if (std::isfinite(value)) low = std::min(low, value), high = std::max(high, value);
    if (!(low <= high)) low = 0, high = 1;
    if (lane.threshold && *lane.threshold < 2 * high) high = std::max(high, *lane.threshold);
    if (low > 0) low = 0;
    if (lane.low) low = *lane.low;
    if (lane.high) high = *lane.high;
    if (!(high > low)) high = low + 1;
    return {low, high};
}

double Lanes::x_of(const Layout& laid, std::size_t step) const {
    return laid.plot.left() + (static_cast<double>(step) + 0.5 - laid.first) * laid.slot;
}

int Lanes::step_at(const QPointF& at, const QRectF& in, const Theme& theme) const {
    const Layout laid = layout(in, theme);
    if (!laid.plot.adjusted(0, -4, 0, laid.ruler + 8).contains(at) || steps() == 0) return -1;
    return std::clamp(static_cast<int>(laid.first + (at.x() - laid.plot.left()) / laid.slot), 0,
                      static_cast<int>(steps()) - 1);
}

void Lanes::paint_lane(QPainter& painter, const QRectF& in, const Layout& laid, std::size_t at,
                       const Theme& theme) const {
    const Lane& lane = lanes[at];
    const QRectF box = lane_box(laid, at);
    const Scale scale = scale_of(lane);
    const auto y_of = [&](double value) {
        return box.bottom() -
               box.height() * std::clamp((value - scale.low) / (scale.high - scale.low), 0.0, 1.0);
    };
    const QFont words = theme.font(), fixed = theme.fixed_font();
    const bool roomy = box.height() >= 2 * text_height - 6;
    const double said =
        draw_text(painter, QRectF(in.left(), box.top() - 2, names, text_height),
                  Qt::AlignLeft | Qt::AlignVCenter, elided(lane.title, words, names - 4), words, theme.text);
    // The unit beneath, or where there is no room for that, beside.
    const QRectF unit = roomy ? QRectF(in.left(), box.top() - 4 + text_height, names, text_height)
                              : QRectF(in.left() + said + 6, box.top() - 2, names - said - 6, text_height);
    draw_text(painter, unit, Qt::AlignLeft | Qt::AlignVCenter, elided(lane.unit, words, unit.width()), words,
              theme.muted);
    for (const Line& part : lane.lines)
        if (part.stroke == Stroke::dashed && !part.name.isEmpty() && box.height() >= 3 * text_height - 6) {
            const double y = box.top() - 6 + 2 * text_height;
            painter.setPen(QPen(theme.muted, 1.1, Qt::DashLine));
            painter.drawLine(QPointF(in.left(), y + text_height / 2),
                             QPointF(in.left() + 18, y + text_height / 2));
            draw_text(painter, QRectF(in.left() + 22, y, names - 22, text_height),
                      Qt::AlignLeft | Qt::AlignVCenter, elided(part.name, words, names - 26), words,
                      theme.muted);
        }
    painter.setPen(QPen(theme.line, 1));
    painter.drawLine(box.bottomLeft(), box.bottomRight());
    if (roomy) painter.drawLine(box.topLeft(), box.topRight());
    const double left = box.left() - ticks;
    const auto ends = [&](const QRectF& where, const QString& text) {
        draw_text(painter, where, Qt::AlignRight | Qt::AlignVCenter, elided(text, fixed, where.width()),
                  fixed, theme.muted);
    };
    if (roomy) {
        ends(QRectF(left, box.top() - 4, ticks - 5, text_height), tick_of(scale.high));
        ends(QRectF(left, box.bottom() - text_height + 4, ticks - 5, text_height), tick_of(scale.low));
    } else {
        ends(QRectF(left - 8, box.center().y() - text_height / 2, ticks + 3, text_height),
             tick_of(scale.low) + QStringLiteral("–") + tick_of(scale.high));
    }
    if (scale.low < 0) {
        painter.setPen(QPen(theme.muted, 1));
        painter.drawLine(QPointF(box.left(), y_of(0)), QPointF(box.right(), y_of(0)));
    }
    if (lane.threshold) {
        painter.setPen(QPen(theme.warning, 1, Qt::DotLine));
        painter.drawLine(QPointF(box.left(), y_of(*lane.threshold)),
                         QPointF(box.right(), y_of(*lane.threshold)));
    }
    painter.save();
    painter.setClipRect(box.adjusted(-1, -3, 1, 3));
    for (const Line& part : lane.lines)
        for (std::size_t run = 0; run < part.values.size(); ++run) {
            const QColor colour = category_colour(static_cast<int>(run), theme);
            const std::vector<double>& values = part.values[run];
            painter.setPen(QPen(colour, part.stroke == Stroke::solid ? 1.6 : 1.1,
                                part.stroke == Stroke::solid ? Qt::SolidLine : Qt::DashLine));
            for (std::size_t step = 0; step < values.size(); ++step) {
                if (!std::isfinite(values[step])) continue;
                const QPointF here(x_of(laid, step), y_of(values[step]));
                const bool joined = step > 0 && std::isfinite(values[step - 1]);
                if (joined && lane.stepped) {
                    const double before = y_of(values[step - 1]), half = here.x() - laid.slot / 2;
                    painter.drawLine(QPointF(half, before), QPointF(half, here.y()));
                } else if (joined) {
                    painter.drawLine(QPointF(x_of(laid, step - 1), y_of(values[step - 1])), here);
                }
                if (lane.stepped)
                    painter.drawLine(here - QPointF(laid.slot / 2, 0), here + QPointF(laid.slot / 2, 0));
                else if (part.stroke == Stroke::solid && laid.slot >= 9) {
                    painter.setBrush(colour);
                    painter.drawEllipse(here, 1.8, 1.8);
                }
            }
        }
    painter.restore();
}

void Lanes::paint_ruler(QPainter& painter, const Layout& laid, const Theme& theme) const {
    const QFont fixed = theme.fixed_font();
    const std::size_t rows = std::min<std::size_t>(runs.size(), 2);
    const double height = (laid.ruler - 4) / static_cast<double>(std::max<std::size_t>(1, rows));
    for (std::size_t run = 0; run < rows; ++run)
        for (std::size_t step = 0; step < runs[run].ids.size();
             step += static_cast<std::size_t>(laid.every)) {
            // What the second run has in common with the first is not said twice.
            if (run == 1 && parting >= 0 && static_cast<int>(step) < parting) continue;
            const bool here = static_cast<int>(step) == selected;
            if (!laid.plot.contains(QPointF(x_of(laid, step), laid.plot.center().y()))) continue;
            painter.save();
            painter.translate(x_of(laid, step), laid.plot.bottom() + 4 + static_cast<double>(run) * height);
            painter.rotate(-90);
            draw_text(painter, QRectF(-longest_token - 30, -9, longest_token + 30, text_height),
                      Qt::AlignRight | Qt::AlignVCenter, elided(token_of(run, step), fixed, longest()), fixed,
                      here               ? theme.query
                      : runs.size() == 1 ? theme.muted
                                         : category_colour(static_cast<int>(run), theme));
            painter.restore();
        }
}

void Lanes::paint_legend(QPainter& painter, const QRectF& in, const Theme& theme) const {
    double y = in.top();
    if (!title.isEmpty()) {
        draw_text(painter, QRectF(in.left(), y, in.width(), text_height), Qt::AlignLeft | Qt::AlignVCenter,
                  title, theme.font(13, true), theme.text);
        y += text_height + 2;
    }
    const QFont words = theme.font();
    if (runs.size() > 1) {
        double x = in.left();
        const double room = in.width() / static_cast<double>(runs.size()) - 26;
        for (std::size_t run = 0; run < runs.size(); ++run) {
            painter.setPen(QPen(category_colour(static_cast<int>(run), theme), 2));
            painter.drawLine(QPointF(x, y + text_height / 2), QPointF(x + 14, y + text_height / 2));
            x += 18 +
                 draw_text(painter, QRectF(x + 18, y, room, text_height), Qt::AlignLeft | Qt::AlignVCenter,
                           elided(runs[run].name, words, room), words, theme.text) +
                 14;
        }
        y += text_height;
    }
    if (!said.isEmpty())
        draw_text(painter, QRectF(in.left(), y, in.width(), text_height), Qt::AlignLeft | Qt::AlignVCenter,
                  elided(said, words, in.width()), words, theme.muted);
}

void Lanes::paint(QPainter& painter, const QRectF& in, const Theme& theme) const {
    const Layout laid = layout(in, theme);
    painter.save();
    painter.setRenderHint(QPainter::Antialiasing, true);
    paint_legend(painter, in, theme);
    if (!shaded.empty() && !lanes.empty()) {
        const QRectF box = lane_box(laid, 0);
        painter.setClipRect(box);
        for (std::size_t step = 0; step < shaded.front().size(); ++step)
            if (shaded.front()[step])
                painter.fillRect(QRectF(x_of(laid, step) - laid.slot / 2, box.top(), laid.slot, box.height()),
                                 blend(theme.panel, theme.warning, 0.16));
        painter.setClipping(false);
    }
    for (std::size_t at = 0; at < lanes.size(); ++at)
        paint_lane(painter, in, laid, at, theme);
    if (parting > 0) {
        const double x = x_of(laid, static_cast<std::size_t>(parting)) - laid.slot / 2;
        painter.setClipRect(laid.plot.adjusted(-1, 0, 1, 0));
        painter.setPen(QPen(theme.muted, 1, Qt::DashLine));
        painter.drawLine(QPointF(x, laid.plot.top()), QPointF(x, laid.plot.bottom()));
        painter.setClipping(false);
    }
    paint_ruler(painter, laid, theme);
    painter.restore();
}

void Lanes::paint_marks(QPainter& painter, const QRectF& in, const Theme& theme,
                        const std::optional<QPointF>& pointer) const {
    const Layout laid = layout(in, theme);
    const auto cross = [&](int step, const QPen& pen) {
        if (step < 0 || static_cast<std::size_t>(step) >= steps()) return;
        painter.setPen(pen);
        const double x = x_of(laid, static_cast<std::size_t>(step));
        if (x < laid.plot.left() || x > laid.plot.right()) return;
        painter.drawLine(QPointF(x, laid.plot.top()), QPointF(x, laid.plot.bottom()));
    };
    QColor ink = theme.query;
    ink.setAlphaF(0.6F);
    cross(selected, QPen(ink, 1));
    const int under = pointer ? step_at(*pointer, in, theme) : -1;
    if (under < 0) return;
    cross(under, QPen(theme.text, 1, Qt::DotLine));
    // The values of every lane, beside the crosshair, where there is room.
    const QFont fixed = theme.fixed_font();
    const QFontMetricsF metrics(fixed);
    for (std::size_t at = 0; at < lanes.size(); ++at) {
        QStringList values;
        for (std::size_t run = 0; run < runs.size(); ++run)
            for (const Line& part : lanes[at].lines)
                if (run < part.values.size() && static_cast<std::size_t>(under) < part.values[run].size())
                    values << number(part.values[run][static_cast<std::size_t>(under)]);
        const QString text = values.join(QStringLiteral(" · "));
        const QRectF box = lane_box(laid, at);
        const double width = metrics.horizontalAdvance(text) + 8;
        const double x = x_of(laid, static_cast<std::size_t>(under)) + 6;
        const QRectF label(x + width > in.right() ? x - width - 12 : x, box.top(), width, 16);
        painter.fillRect(label, blend(theme.panel, theme.text, 0.08));
        draw_text(painter, label, Qt::AlignCenter, text, fixed, theme.text);
    }
}

QString Lanes::describe(const QPointF& at, const QRectF& in, const Theme& theme) const {
    const int step = step_at(at, in, theme);
    if (step < 0) return {};
    const auto index = static_cast<std::size_t>(step);
    QString out = QStringLiteral("step %1").arg(step);
    for (std::size_t run = 0; run < runs.size(); ++run) {
        if (index >= runs[run].ids.size()) continue;
        out += QStringLiteral(" · ") + (runs.size() > 1 ? runs[run].name + QStringLiteral(": ") : QString()) +
               QStringLiteral("position %1 %2 (id %3)")
                   .arg(runs[run].first + step)
                   .arg(token_of(run, index))
                   .arg(runs[run].ids[index]);
        for (const Lane& lane : lanes)
            for (const Line& part : lane.lines)
                if (run < part.values.size() && index < part.values[run].size())
                    out += QStringLiteral(" · %1 %2")
                               .arg((part.name.isEmpty() ? lane.title : part.name).toLower(),
                                    number(part.values[run][index])) +
                           (lane.unit.startsWith(QLatin1String("nats")) ? QLatin1Char(' ') + lane.unit
                                                                        : QString());
    }
    return out;
}

Spot Lanes::spot_at(const QPointF& at, const QRectF& in, const Theme& theme) const {
    Spot out;
    const int step = step_at(at, in, theme);
    if (step >= 0 && linked && !runs.empty()) out.query = runs.front().first + step - 1;
    return out;
}

void Lanes::select(const Spot& here) {
    if (linked) selected = !runs.empty() && here.query >= 0 ? here.query + 1 - runs.front().first : -1;
}

bool Lanes::zoom(double factor, const QPointF& at, const QRectF& in, const Theme& theme) {
    const Layout laid = layout(in, theme);
    if (!laid.plot.contains(at)) return false;
    const double share = (at.x() - laid.plot.left()) / laid.plot.width();
    const double seen = std::max(8.0, laid.seen / factor);
    if (seen >= static_cast<double>(steps())) {
        fit();
        return true;
    }
    first_ = laid.first + share * (laid.seen - seen);
    seen_ = seen;
    return true;
}

bool Lanes::pan(const QPointF& by, const QRectF& in, const Theme& theme) {
    if (seen_ <= 0) return false;
    const Layout laid = layout(in, theme);
    first_ = std::clamp(laid.first - by.x() / laid.slot, 0.0, static_cast<double>(steps()) - laid.seen);
    return true;
}

QString Lanes::csv() const {
    QString out = QStringLiteral("step");
    for (const Run& run : runs)
        out += QLatin1Char(',') +
               csv_field(runs.size() > 1 ? run.name + QStringLiteral(" token") : QStringLiteral("token"));
    const auto each = [&](const auto& visit) {
        for (std::size_t run = 0; run < runs.size(); ++run)
            for (const Lane& lane : lanes)
                for (const Line& part : lane.lines)
                    if (run < part.values.size()) visit(run, lane, part);
    };
    each([&](std::size_t run, const Lane& lane, const Line& part) {
        const QString name = part.name.isEmpty() ? lane.title : part.name;
        out +=
            QLatin1Char(',') + csv_field(runs.size() > 1 ? runs[run].name + QLatin1Char(' ') + name : name);
    });
    out += QLatin1Char('\n');
    for (std::size_t step = 0; step < steps(); ++step) {
        out += QString::number(step);
        for (std::size_t run = 0; run < runs.size(); ++run)
            out += QLatin1Char(',') + csv_field(token_of(run, step));
        each([&](std::size_t run, const Lane&, const Line& part) {
            out += QLatin1Char(',') +
                   (step < part.values[run].size() ? csv_number(part.values[run][step]) : QString());
        });
        out += QLatin1Char('\n');
    }
    return out;
}

} // namespace vitrine::figure
