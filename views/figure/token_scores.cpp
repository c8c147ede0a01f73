#include "views/figure/token_scores.h"

#include <QFontMetricsF>
#include <algorithm>
#include <cmath>

namespace vitrine::figure {

namespace {

constexpr double tokens_line = 24;
constexpr double scores_title = 24;

} // namespace

std::vector<QRectF> TokenScores::boxes(const QPointF& origin, double width, const Theme& theme) const {
    const QFontMetricsF metrics(theme.fixed_font(13));
    std::vector<QRectF> out;
    double x = origin.x(), y = origin.y();
    for (const QString& token : tokens) {
        const double wide = metrics.horizontalAdvance(token) + 8;
        if (x + wide > origin.x() + width && x > origin.x()) x = origin.x(), y += tokens_line;
        out.emplace_back(x, y, wide, tokens_line - 4);
        x += wide + 1;
    }
    return out;
}

double TokenScores::text_width(const QRectF& in, const Theme& theme) const {
    return in.width() - colour_bar_width(scale, false, theme) - 20;
}

QSizeF TokenScores::preferred_size(const Theme& theme) const {
    const auto laid = boxes({0, 0}, text_width(QRectF(0, 0, 700, 100), theme), theme);
    return {700, std::max(150.0, (laid.empty() ? tokens_line : laid.back().bottom()) + scores_title + 8)};
}

void TokenScores::paint(QPainter& painter, const QRectF& in, const Theme& theme) const {
    draw_text(painter, QRectF(in.left(), in.top(), in.width(), 18), Qt::AlignLeft | Qt::AlignVCenter, title,
              theme.font(13, true), theme.text);
    const auto laid = boxes(in.topLeft() + QPointF(0, scores_title), text_width(in, theme), theme);
    for (std::size_t i = 0; i < laid.size() && i < values.size(); ++i) {
        const QColor ground = scale.colour(values[i]);
        if (ground.isValid()) painter.fillRect(laid[i], ground);
        draw_text(painter, laid[i], Qt::AlignCenter, tokens[static_cast<int>(i)], theme.fixed_font(13),
                  ground.isValid() ? text_on(ground) : theme.muted);
    }
    const double bar = colour_bar_width(scale, false, theme);
    paint_colour_bar(
        painter,
        QRectF(in.right() - bar, in.top() + scores_title, bar, std::max(100.0, in.height() - scores_title)),
        scale, false, theme);
}

QString TokenScores::describe(const QPointF& at, const QRectF& in, const Theme& theme) const {
    const auto laid = boxes(in.topLeft() + QPointF(0, scores_title), text_width(in, theme), theme);
    for (std::size_t i = 0; i < laid.size() && i < values.size(); ++i)
        if (laid[i].contains(at))
            return QStringLiteral("position %1 %2 = %3 %4")
                .arg(i)
                .arg(tokens[static_cast<int>(i)], number(values[i]), scale.unit);
    return {};
}

Spot TokenScores::spot_at(const QPointF& at, const QRectF& in, const Theme& theme) const {
    Spot out;
    const auto laid = boxes(in.topLeft() + QPointF(0, scores_title), text_width(in, theme), theme);
    for (std::size_t i = 0; i < laid.size(); ++i)
        if (laid[i].contains(at)) out.query = static_cast<int>(i);
    return out;
}

QString TokenScores::csv() const {
    QString out = QStringLiteral("position,token,value\n");
    for (std::size_t i = 0; i < values.size() && static_cast<int>(i) < tokens.size(); ++i)
        out += QStringLiteral("%1,").arg(i) + csv_field(tokens[static_cast<int>(i)]) + QLatin1Char(',') +
               csv_number(values[i]) + QLatin1Char('\n');
    return out;
}

} // namespace vitrine::figure
