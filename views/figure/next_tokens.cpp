#include "views/figure/next_tokens.h"

#include <QFontMetricsF>
#include <algorithm>
#include <cmath>
#include <numbers>

namespace vitrine::figure {

namespace {

constexpr double token_row = 21;
constexpr double token_head = 60; ///< two lines of words and the columns' names

// In a column of percents a power of ten stands out for nothing; the whole number is under the pointer.
QString share(double probability) {
    return probability > 0 && probability < 1e-5 ? QStringLiteral("< 0.001 %") : percent(probability);
}

QString points(double difference) {
    if (std::isnan(difference)) return QStringLiteral("–");
    return std::abs(difference) < 5e-5 ? QStringLiteral("0") : decimal(100 * difference, 2);
}

} // namespace

QSizeF NextTokens::preferred_size(const Theme&) const {
    return {280, token_head + token_row * static_cast<double>(std::max<std::size_t>(rows.size(), 3)) + 4};
}

void NextTokens::paint(QPainter& painter, const QRectF& in, const Theme& theme) const {
    if (!said_in_place.isEmpty() || rows.empty()) {
        painter.setFont(theme.font());
        painter.setPen(theme.muted);
        painter.drawText(in, Qt::AlignLeft | Qt::AlignTop | Qt::TextWordWrap,
                         said_in_place.isEmpty() ? QStringLiteral("Run a prompt to see what comes next.")
                                                 : said_in_place);
        return;
    }
    const QFont fixed = theme.fixed_font(), words = theme.font();
    const QFontMetricsF metrics(fixed);
    const QString where = QStringLiteral("after ");
    const double said = draw_text(painter, QRectF(in.left(), in.top(), in.width(), 18),
                                  Qt::AlignLeft | Qt::AlignVCenter, where, words, theme.muted);
    draw_text(painter, QRectF(in.left() + said, in.top(), in.width() - said, 18),
              Qt::AlignLeft | Qt::AlignVCenter,
              elided(after, fixed, in.width() - said - 60) + QStringLiteral(" (%1)").arg(position), fixed,
              theme.text);
    draw_text(painter, QRectF(in.left(), in.top() + 18, in.width(), 18), Qt::AlignLeft | Qt::AlignVCenter,
              QStringLiteral("entropy %1 nats").arg(number(entropy)), words, theme.muted);

    // token | probability over its bar | logit or difference
    const QString wide = QStringLiteral("probability");
    const double percents = metrics.horizontalAdvance(QStringLiteral("< 0.001 %")) + 2;
    const double whole_last = metrics.horizontalAdvance(QStringLiteral("−00.000"));
    // Probabilities are what the table is for: where there is no room the logit stays under the pointer.
    const bool narrow = !compared && in.width() < 60 + 6 + percents + whole_last + 8;
    const double last = narrow ? -8 : whole_last;
    const double token =
        std::clamp(std::min(in.width() * 0.42, in.width() - percents - last - 14), 40.0, 150.0);
    const double bar_left = in.left() + token + 6;
    const double bar_width = std::max(10.0, in.width() - token - 6 - last - 8);
    const double names = in.top() + 38;
    draw_text(painter, QRectF(in.left(), names, token, 18), Qt::AlignLeft | Qt::AlignVCenter,
              QStringLiteral("token"), words, theme.muted);
    draw_text(painter, QRectF(bar_left, names, bar_width, 18), Qt::AlignRight | Qt::AlignVCenter,
              QFontMetricsF(words).horizontalAdvance(wide) <= bar_width ? wide : QStringLiteral("prob."),
              words, theme.muted);
    if (!narrow)
        draw_text(painter, QRectF(in.right() - last, names, last, 18), Qt::AlignRight | Qt::AlignVCenter,
                  compared ? QStringLiteral("A − B, %") : QStringLiteral("logit"), words, theme.muted);
    painter.setPen(QPen(theme.line, 1));
    painter.drawLine(QPointF(in.left(), in.top() + token_head - 2),
                     QPointF(in.right(), in.top() + token_head - 2));

    for (std::size_t i = 0; i < rows.size(); ++i) {
        const Row& row = rows[i];
        const double top = in.top() + token_head + token_row * static_cast<double>(i);
        if (top + token_row > in.bottom() + 1) break;
        draw_text(painter, QRectF(in.left(), top, token, token_row), Qt::AlignLeft | Qt::AlignVCenter,
                  elided(row.token.shown, fixed, token), fixed, theme.text);
        painter.fillRect(QRectF(bar_left, top + 3, std::max(1.0, bar_width * row.prob), token_row - 6),
                         blend(theme.panel, theme.accent, 0.35));
        draw_text(painter, QRectF(bar_left, top, bar_width, token_row), Qt::AlignRight | Qt::AlignVCenter,
                  share(row.prob), fixed, theme.text);
        if (narrow) continue;
        draw_text(painter, QRectF(in.right() - last, top, last, token_row), Qt::AlignRight | Qt::AlignVCenter,
                  compared ? points(row.prob - row.other) : decimal(row.logit, 2), fixed, theme.muted);
    }
}

void NextTokens::paint_marks(QPainter& painter, const QRectF& in, const Theme& theme,
                             const std::optional<QPointF>& pointer) const {
    const int row = pointer ? row_at(*pointer, in) : -1;
    if (row < 0) return;
    QColor veil = theme.accent;
    veil.setAlphaF(0.12F);
    painter.fillRect(QRectF(in.left(), in.top() + token_head + token_row * row, in.width(), token_row), veil);
}

int NextTokens::row_at(const QPointF& at, const QRectF& in) const {
    const double down = at.y() - in.top() - token_head;
    if (down < 0 || at.x() < in.left() || at.x() > in.right()) return -1;
    const int row = static_cast<int>(down / token_row);
    return row < static_cast<int>(rows.size()) ? row : -1;
}

QString NextTokens::describe(const QPointF& at, const QRectF& in, const Theme&) const {
    if (at.y() < in.top() + 36 && at.y() >= in.top() + 18 && !rows.empty())
        return QStringLiteral("entropy %1 nats = %2 bits")
            .arg(number(entropy), number(entropy / std::numbers::ln2));
    const int row = row_at(at, in);
    if (row < 0) return {};
    const Row& said = rows[static_cast<std::size_t>(row)];
    return QStringLiteral("%1 (id %2, bytes %3): probability %4, logit %5")
        .arg(said.token.shown)
        .arg(said.token.id)
        .arg(hex_bytes(said.token.bytes), number(said.prob), number(said.logit));
}

QString NextTokens::csv() const {
    QString out = QStringLiteral("rank,id,token,probability,logit\n");
    for (std::size_t i = 0; i < rows.size(); ++i)
        out += QStringLiteral("%1,%2,").arg(i).arg(rows[i].token.id) +
               csv_field(QString::fromStdString(rows[i].token.bytes)) + QLatin1Char(',') +
               csv_number(rows[i].prob) + QLatin1Char(',') + csv_number(rows[i].logit) + QLatin1Char('\n');
    return out;
}

} // namespace vitrine::figure
