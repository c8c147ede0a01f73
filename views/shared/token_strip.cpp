#include "views/shared/token_strip.h"

#include <QApplication>
#include <QClipboard>
#include <QFontMetricsF>
#include <QHelpEvent>
#include <QMenu>
#include <QMouseEvent>
#include <QPainter>
#include <QPainterPath>
#include <QToolTip>
#include <QWheelEvent>
#include <algorithm>
#include <cmath>

#include "views/attention/attention_pictures.h"
#include "views/shared/gestures.h"

namespace vitrine::views {

namespace {

constexpr double room_above = 10; ///< of the chips, for the key's mark
constexpr double arcs_height = 46;
constexpr double chip_height = 24;
constexpr double longest_chip = 180;

QPolygonF triangle(double x, double y, bool down) {
    const double d = down ? 1 : -1;
    return QPolygonF({QPointF(x - 5, y), QPointF(x + 5, y), QPointF(x, y + 7 * d)});
}

} // namespace

TokenStrip::TokenStrip(Desk& desk, QWidget* parent) : QWidget(parent), desk_(desk) {
    setMouseTracking(true);
    setFocusPolicy(Qt::StrongFocus);
    setSizePolicy(QSizePolicy::Expanding, QSizePolicy::Fixed);
    setAccessibleName(tr("Tokens"));
    connect(&desk_.selection, &Selection::changed, this, [this] {
        reveal(desk_.selection.place().query);
        update();
    });
    connect(&desk_, &Desk::theme_changed, this, [this] {
        widths_.clear();
        lay_out();
        update();
    });
}

void TokenStrip::set_tokens(std::vector<figure::Token> tokens) {
    const bool same = std::equal(tokens.begin(), tokens.end(), tokens_.begin(), tokens_.end(),
                                 [](const figure::Token& a, const figure::Token& b) {
                                     return a.id == b.id && a.special == b.special && a.shown == b.shown;
                                 });
    if (same) return; // measuring thousands of them would be felt
    tokens_ = std::move(tokens);
    scores_.resize(tokens_.size(), NAN);
    lay_out();
    update();
}

void TokenStrip::set_roles(std::vector<TokenRole> roles) {
    roles_ = std::move(roles);
    updateGeometry();
    update();
}

void TokenStrip::set_scores(std::vector<double> scores, const figure::ColourScale& scale,
                            std::vector<bool> sinks) {
    sinks_ = std::move(sinks);
    sinks_.resize(tokens_.size(), false);
    scores_ = std::move(scores);
    scores_.resize(tokens_.size(), NAN);
    scale_ = scale;
    update();
}

void TokenStrip::lay_out() {
    const QFontMetricsF metrics(desk_.theme().fixed_font(13));
    lefts_ = {0};
    for (const figure::Token& token : tokens_) {
        auto width = widths_.find(token.shown);
        if (width == widths_.end())
            width = widths_.insert(token.shown, metrics.horizontalAdvance(token.shown));
        lefts_.push_back(lefts_.back() + std::round(std::clamp(*width + 10, 20.0, longest_chip)) + 2);
    }
    offset_ = std::clamp(offset_, 0.0, std::max(0.0, lefts_.back() - width()));
}

void TokenStrip::reveal(int token) {
    if (token < 0 || token >= static_cast<int>(tokens_.size())) return;
    const auto at = static_cast<std::size_t>(token);
    const double room = width();
    if (lefts_[at] - 40 < offset_) offset_ = lefts_[at] - 40;
    if (lefts_[at + 1] + 40 > offset_ + room) offset_ = lefts_[at + 1] + 40 - room;
    offset_ = std::clamp(offset_, 0.0, std::max(0.0, lefts_.back() - room));
}

void TokenStrip::paint_roles(QPainter& painter) const {
    const figure::Theme& theme = desk_.theme();
    const QFont font = theme.font(12);
    const QFontMetricsF metrics(font);
    const double roles_top = top() + chip_height + 11;
    for (const TokenRole& role : roles_) {
        if (role.last >= static_cast<int>(tokens_.size())) continue;
        const double left = lefts_[static_cast<std::size_t>(role.first)] - offset_;
        const double right = lefts_[static_cast<std::size_t>(role.last) + 1] - 2 - offset_;
        if (right < 0 || left > width()) continue;
        const bool assistant = role.name == QLatin1String("assistant");
        const QColor mark = assistant                              ? theme.accent
                            : role.name == QLatin1String("system") ? theme.muted
                                                                   : theme.text;
        painter.fillRect(QRectF(left, roles_top, right - left, 2), mark);
        // The name stays in sight while any of its tokens is.
        const double from = std::max(left, 0.0);
        const QRectF box(from, roles_top + 2, std::max(right - from, 0.0), 15);
        if (box.width() > metrics.horizontalAdvance(role.name.left(2)))
            figure::draw_text(painter, box, Qt::AlignLeft | Qt::AlignVCenter,
                              figure::elided(role.name, font, box.width()), font, mark);
    }
}

void TokenStrip::paintEvent(QPaintEvent*) {
    const figure::Theme& theme = desk_.theme();
    QPainter painter(this);
    painter.setRenderHint(QPainter::Antialiasing);
    const QFont font = theme.fixed_font(13);
    const Place& place = desk_.selection.place();
    const double chip_top = top();
    if (arcs_) paint_arcs(painter);
    for (std::size_t i = 0; i < tokens_.size(); ++i) {
        const QRectF chip(std::round(lefts_[i] - offset_), chip_top, lefts_[i + 1] - lefts_[i] - 2,
                          chip_height);
        if (chip.right() < 0 || chip.left() > width()) continue;
        QColor ground = i < scores_.size() ? scale_.colour(scores_[i]) : QColor();
        if (ground.isValid() && i < sinks_.size() && sinks_[i])
            ground = figure::colour_at(figure::Map::sink, scale_.position(scores_[i]));
        if (ground.isValid() && desk_.stale()) ground = figure::blend(theme.window, ground, 0.45);
        const bool coloured = ground.isValid();
        if (!coloured) ground = theme.panel;
        painter.fillRect(chip, ground);
        const int at = static_cast<int>(i);
        if (tokens_[i].special) {
            painter.setPen(QPen(coloured ? figure::text_on(ground) : theme.muted, 1));
            painter.drawRect(chip.adjusted(2.5, 2.5, -2.5, -2.5));
        }
        figure::draw_text(painter, chip, Qt::AlignCenter,
                          figure::elided(tokens_[i].shown, font, chip.width() - 6), font,
                          coloured ? figure::text_on(ground) : theme.text);
        if (at == place.query || at == place.key || at == hovered_) {
            const QColor edge = at == place.query ? theme.query : at == place.key ? theme.key : theme.muted;
            painter.setPen(QPen(edge, at == hovered_ && at != place.query && at != place.key ? 1 : 1.6));
            painter.setBrush(Qt::NoBrush);
            painter.drawRect(chip.adjusted(-0.5, -0.5, 0.5, 0.5));
        }
        painter.setPen(Qt::NoPen);
        if (at == place.key) {
            painter.setBrush(theme.key);
            painter.drawPolygon(triangle(chip.center().x(), chip_top - 9, true));
        }
        if (at == place.query) {
            painter.setBrush(theme.query);
            painter.drawPolygon(triangle(chip.center().x(), chip_top + chip_height + 9, false));
        }
    }
    paint_roles(painter);
    const auto more = [&](bool left) {
        const QRectF box(left ? 0 : width() - 22, chip_top, 22, chip_height);
        painter.fillRect(box, theme.window);
        figure::draw_text(painter, box, Qt::AlignCenter, left ? QStringLiteral("‹") : QStringLiteral("›"),
                          theme.font(16), theme.text);
    };
    if (offset_ > 0) more(true);
    if (!lefts_.empty() && lefts_.back() - offset_ > width() + 1) more(false);
}

QSize TokenStrip::sizeHint() const {
    return {400, static_cast<int>(top() + chip_height + (roles_.empty() ? 10 : 28))};
}

double TokenStrip::top() const { return arcs_ ? arcs_height : room_above; }

void TokenStrip::set_arcs(bool on) {
    if (on == arcs_) return;
    arcs_ = on;
    updateGeometry();
    update();
}

void TokenStrip::paint_arcs(QPainter& painter) const {
    constexpr double least = 0.02; ///< of the largest: thinner ones are only clutter
    const figure::Theme& theme = desk_.theme();
    const int query = desk_.selection.place().query;
    if (query < 0 || query >= static_cast<int>(tokens_.size())) return;
    const auto centre = [&](std::size_t at) { return (lefts_[at] + lefts_[at + 1]) / 2 - offset_ - 1; };
    double largest = 0, longest = 1;
    for (std::size_t key = 0; key < scores_.size(); ++key)
        if (std::isfinite(scores_[key])) {
            largest = std::max(largest, std::abs(scores_[key]));
            if (std::abs(scores_[key]) >= least)
                longest = std::max(longest, std::abs(centre(static_cast<std::size_t>(query)) - centre(key)));
        }
    if (largest <= 0) return;
    const double from = centre(static_cast<std::size_t>(query));
    painter.setBrush(Qt::NoBrush);
    for (std::size_t key = 0; key < scores_.size() && key < tokens_.size(); ++key) {
        const double share = std::abs(scores_[key]) / largest;
        if (!(share >= least)) continue;
        QColor ink = theme.query;
        if (scale_.min < 0) ink = scale_.colour(scores_[key] > 0 ? scale_.max : scale_.min);
        if (key < sinks_.size() && sinks_[key]) ink = theme.sink;
        ink.setAlphaF(static_cast<float>(0.25 + 0.75 * share));
        painter.setPen(QPen(ink, 0.8 + 3.2 * share, Qt::SolidLine, Qt::FlatCap));
        const double to = centre(key), foot = top() - 1;
        const double rise = (arcs_height - 8) * (0.25 + 0.75 * std::abs(from - to) / longest);
        QPainterPath arc(QPointF(from, foot));
        if (static_cast<int>(key) == query) // on itself
            arc.cubicTo(from - 12, foot - rise - 6, from + 12, foot - rise - 6, from, foot);
        else
            arc.cubicTo(from, foot - rise * 4 / 3, to, foot - rise * 4 / 3, to, foot);
        painter.drawPath(arc);
    }
}

int TokenStrip::token_at(const QPointF& at) const {
    for (std::size_t i = 0; i < tokens_.size(); ++i)
        if (at.x() + offset_ >= lefts_[i] && at.x() + offset_ < lefts_[i + 1]) return static_cast<int>(i);
    return -1;
}

QString TokenStrip::describe(int token) const {
    const figure::Token& said = tokens_[static_cast<std::size_t>(token)];
    QString out = tr("position %1 %2 · id %3 · bytes %4")
                      .arg(token)
                      .arg(said.shown)
                      .arg(said.id)
                      .arg(figure::hex_bytes(said.bytes));
    if (said.special) out += tr(" · special token");
    for (const TokenRole& role : roles_)
        if (role.first <= token && token <= role.last) out += tr(" · %1's message").arg(role.name);
    const double score = scores_[static_cast<std::size_t>(token)];
    if (!std::isnan(score)) out += QStringLiteral(" · %1 %2").arg(figure::number(score), scale_.unit);
    return out;
}

void TokenStrip::mousePressEvent(QMouseEvent* event) {
    const int token = token_at(event->position());
    if (token < 0 || event->button() != Qt::LeftButton) return;
    if (event->modifiers() & Qt::ShiftModifier)
        desk_.selection.set_key(token);
    else
        desk_.selection.set_query(token);
}

void TokenStrip::mouseMoveEvent(QMouseEvent* event) {
    const int token = token_at(event->position());
    if (token == hovered_) return;
    hovered_ = token;
    emit desk_.pointed(token < 0 ? QString() : describe(token));
    update();
}

void TokenStrip::leaveEvent(QEvent*) {
    hovered_ = -1;
    emit desk_.pointed({});
    update();
}

void TokenStrip::wheelEvent(QWheelEvent* event) {
    const double by = event->angleDelta().x() != 0 ? event->angleDelta().x() : event->angleDelta().y();
    offset_ = std::clamp(offset_ - by, 0.0, std::max(0.0, lefts_.empty() ? 0.0 : lefts_.back() - width()));
    update();
    event->accept();
}

void TokenStrip::keyPressEvent(QKeyEvent* event) {
    const int by = event->key() == Qt::Key_Left ? -1 : event->key() == Qt::Key_Right ? 1 : 0;
    if (by == 0 || event->modifiers() & (Qt::ControlModifier | Qt::AltModifier)) {
        if (!handle_selection_key(desk_, *event)) QWidget::keyPressEvent(event);
        return;
    }
    const bool key = event->modifiers() & Qt::ShiftModifier;
    desk_.selection.move(0, 0, key ? 0 : by, key ? by : 0);
}

void TokenStrip::contextMenuEvent(QContextMenuEvent* event) {
    const int token = token_at(event->pos());
    if (token < 0) return;
    const figure::Token& said = tokens_[static_cast<std::size_t>(token)];
    QMenu menu(this);
    add_spot_actions(menu, desk_, figure::Spot{-1, -1, token, -1});
    FigureSource source;
    if (const RunPtr& run = desk_.shown()) source.command = capture_command(*run, {});
    add_copy_actions(
        menu, describe(token),
        [this] {
            QString text = QStringLiteral("position,id,token,score\n");
            for (std::size_t i = 0; i < tokens_.size(); ++i)
                text += QStringLiteral("%1,%2,").arg(i).arg(tokens_[i].id) +
                        figure::csv_field(tokens_[i].shown) + QLatin1Char(',') +
                        figure::csv_number(scores_[i]) + QLatin1Char('\n');
            return text;
        },
        source);
    menu.addAction(tr("Copy the token's id"), this,
                   [id = said.id] { QApplication::clipboard()->setText(QString::number(id)); });
    menu.addSeparator();
    menu.addAction(tr("What this shows\tF1"), this,
                   [this] { emit desk_.explain_wanted(QStringLiteral("tokens")); });
    menu.exec(event->globalPos());
}

void TokenStrip::resizeEvent(QResizeEvent*) {
    lay_out();
    reveal(desk_.selection.place().query);
}

bool TokenStrip::event(QEvent* event) {
    if (event->type() == QEvent::ToolTip) {
        const auto* help = static_cast<QHelpEvent*>(event);
        const int token = token_at(help->pos());
        if (token >= 0)
            QToolTip::showText(help->globalPos(), describe(token), this);
        else
            QToolTip::hideText();
        return true;
    }
    return QWidget::event(event);
}

} // namespace vitrine::views
