#include "views/inspector/inspector.h"

#include <QLabel>
#include <QVBoxLayout>
#include <algorithm>
#include <numbers>

#include "views/attention/sinks.h"

namespace vitrine::views {

namespace {

QString row(const QString& name, const QString& value, const QString& tip = {}) {
    return QStringLiteral(
               "<tr><td style='padding-right:10px'>%1</td><td align='right' title='%3'>%2</td></tr>")
        .arg(name, value, tip);
}

} // namespace

Inspector::Inspector(Desk& desk, QWidget* parent)
    : QWidget(parent), desk_(desk), heading_(new QLabel(this)), values_(new QLabel(this)),
      about_(new QLabel(this)), next_(new NextTokensView(desk, this)) {
    auto* column = new QVBoxLayout(this);
    column->setContentsMargins(0, 6, 0, 0);
    column->setSpacing(6);
    for (QLabel* label : {heading_, values_, about_}) {
        label->setTextFormat(Qt::RichText);
        label->setWordWrap(true);
        label->setTextInteractionFlags(Qt::TextSelectableByMouse);
        label->setContentsMargins(10, 0, 10, 0);
        column->addWidget(label);
    }
    column->addSpacing(4);
    column->addWidget(next_, 1);
    connect(&desk_, &Desk::run_changed, this, &Inspector::refresh);
    connect(&desk_, &Desk::theme_changed, this, &Inspector::refresh);
    connect(&desk_.selection, &Selection::changed, this, &Inspector::refresh);
    refresh();
}

void Inspector::refresh() {
    const RunPtr& run = desk_.shown();
    const Place& place = desk_.selection.place();
    if (!run || run->tokens.empty()) {
        heading_->setText(tr("Nothing is selected"));
        values_->setText(tr("Type a prompt: its tokens, heads and predictions can then be selected."));
        about_->clear();
        return;
    }
    const figure::Theme& theme = desk_.theme();
    const auto token = [&](int at, const QColor& colour) {
        return QStringLiteral("<span style='color:%1; font-family:\"%2\"'>%3</span>")
            .arg(colour.name(), theme.fixed, run->tokens[static_cast<std::size_t>(at)].shown.toHtmlEscaped());
    };
    heading_->setText(
        QStringLiteral(
            "<span style='font-size:15px; font-weight:600'>L%1 H%2</span><br>"
            "<span style='color:%7'>▲</span> query %3 %4<br><span style='color:%8'>▼</span> key %5 %6")
            .arg(place.layer)
            .arg(place.head)
            .arg(place.query)
            .arg(token(place.query, theme.query))
            .arg(place.key)
            .arg(token(place.key, theme.key))
            .arg(theme.query.name(), theme.key.name()));
    QString rows;
    if (run->has_patterns()) {
        const figure::Matrix pattern = run->pattern(place.layer, place.head);
        const auto sinks = sink_columns(pattern);
        double row_mass = 0;
        for (int key = 0; key <= place.query; ++key)
            if (sinks[static_cast<std::size_t>(key)]) row_mass += pattern.at(place.query, key);
        const double entropy = row_entropy(pattern, place.query);
        rows += row(tr("attention"), figure::number(pattern.at(place.query, place.key)));
        if (desk_.side() == Side::difference && desk_.why_no_difference().isEmpty()) {
            const double other = desk_.b()->pattern(place.layer, place.head).at(place.query, place.key);
            rows += row(tr("the same in B"), figure::number(other));
            rows += row(tr("A − B"), figure::number(pattern.at(place.query, place.key) - other));
        }
        rows += row(tr("on sinks, this query"), figure::number(row_mass));
        rows += row(tr("on sinks, all queries"), figure::number(mass_on(pattern, sinks)));
        rows += row(tr("entropy, this query"), figure::number(entropy) + tr(" nats"),
                    figure::number(entropy / std::numbers::ln2) + tr(" bits"));
        rows += row(tr("alpha of the key"),
                    figure::number(alpha_of(pattern)[static_cast<std::size_t>(place.key)]),
                    tr("mean attention from all queries that can see it"));
        const auto sink = std::find(sinks.begin(), sinks.end(), true);
        about_->setText(
            QStringLiteral("<span style='color:%1'>").arg(theme.muted.name()) +
            (sink != sinks.end()
                 ? tr("This head has a sink: averaged over the queries that see it, key %1 gets more than "
                      "0.3 "
                      "of the attention.")
                       .arg(sink - sinks.begin())
                 : tr("Each row is one query's attention over the keys before it; a row sums to 1.")) +
            QStringLiteral("</span>"));
    }
    values_->setText(QStringLiteral("<table width='100%'>") + rows + QStringLiteral("</table>"));
}

} // namespace vitrine::views
