#include "views/cause/circuit_bar.h"

#include <QLabel>
#include <QRegularExpression>
#include <QVBoxLayout>
#include <algorithm>

#include "views/figure/text.h"

namespace vitrine::views {

namespace {

constexpr qsizetype most_members = 12; ///< that are named; the others are on hover

} // namespace

CircuitBar::CircuitBar(Desk& desk, QWidget* parent) : QWidget(parent), desk_(desk), label_(new QLabel(this)) {
    label_->setTextFormat(Qt::RichText);
    label_->setWordWrap(true);
    label_->setTextInteractionFlags(Qt::LinksAccessibleByMouse | Qt::LinksAccessibleByKeyboard);
    label_->setAccessibleName(tr("Circuit so far"));
    auto* column = new QVBoxLayout(this);
    column->setContentsMargins(2, 0, 2, 2);
    column->addWidget(label_);
    connect(label_, &QLabel::linkActivated, this, &CircuitBar::follow_link);
    connect(&desk_, &Desk::theme_changed, this, &CircuitBar::refresh);
    refresh();
}

void CircuitBar::show_circuit(const QStringList& members, std::vector<double> faithfulness, bool by_hand) {
    members_ = members;
    faithfulness_ = std::move(faithfulness);
    by_hand_ = by_hand;
    refresh();
}

QString CircuitBar::words() const {
    return QString(label_->text())
        .remove(QRegularExpression(QStringLiteral("<[^>]*>")))
        .replace(QStringLiteral("&nbsp;"), QStringLiteral(" "));
}

void CircuitBar::follow_link(const QString& link) {
    const QString member = link.section(QLatin1Char(':'), 1);
    if (link == QLatin1String("strongest")) {
        emit strongest_wanted();
    } else if (link.startsWith(QLatin1String("out:"))) {
        emit remove_wanted(member);
    } else if (member.startsWith(QLatin1Char('L'))) {
        const QStringList parts = member.mid(1).split(QLatin1Char('H'));
        if (parts.size() == 2) desk_.selection.set_head(parts[0].toInt(), parts[1].toInt());
    }
}

void CircuitBar::refresh() {
    const figure::Theme& theme = desk_.theme();
    const QString muted = QStringLiteral("<span style='color:%1'>%2</span>").arg(theme.muted.name());
    const auto link = [](const QString& to, const QString& text, const QColor& colour) {
        return QStringLiteral("<a href='%1' style='color:%2; text-decoration:none'>%3</a>")
            .arg(to, colour.name(), text);
    };
    if (members_.isEmpty()) {
        label_->setText(
            muted.arg(tr("No circuit yet: Measure takes the strongest heads; right-click on a head "
                         "of a map adds it (C: the selected one).")));
        label_->setToolTip({});
        return;
    }
    const bool measured = faithfulness_.size() == static_cast<std::size_t>(members_.size());
    QString text = measured ? tr("<b>faithfulness %1</b>, %2 members")
                                  .arg(figure::number(faithfulness_.back()))
                                  .arg(members_.size())
                            : tr("%1 members, not measured yet").arg(members_.size());
    if (by_hand_)
        text += QStringLiteral(" · ") + link(QStringLiteral("strongest"), tr("the strongest"), theme.query);
    text += QStringLiteral(": "); // in the same line: the curves below need the height
    QStringList names;
    for (const QString& member : members_.first(std::min(most_members, members_.size())))
        names << link(QStringLiteral("at:") + member, member, theme.text) +
                     link(QStringLiteral("out:") + member, QStringLiteral("✕"), theme.muted);
    text += names.join(QStringLiteral("  "));
    if (members_.size() > most_members)
        text += muted.arg(tr(" and %1 more").arg(members_.size() - most_members));
    label_->setText(text);
    QStringList lines{
        tr("The circuit's members, most important first. Faithfulness: (metric with everything "
           "else ablated − metric with all ablated) / (metric of the model − metric with all "
           "ablated); 1 is the whole model. A click on a name selects the head, ✕ takes it out.")};
    for (qsizetype i = 0; i < members_.size(); ++i)
        lines << (measured ? tr("up to %1: %2")
                                 .arg(members_[i], figure::number(faithfulness_[static_cast<std::size_t>(i)]))
                           : members_[i]);
    label_->setToolTip(lines.join(QLatin1Char('\n')));
}

} // namespace vitrine::views
