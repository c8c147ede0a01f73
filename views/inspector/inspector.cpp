#include "views/inspector/inspector.h"

#include <QGridLayout>
#include <QLabel>
#include <QVBoxLayout>
#include <algorithm>
#include <array>
#include <numbers>

#include "views/attention/sinks.h"

namespace vitrine::views {

namespace {

constexpr int columns = 4; ///< name, value, the other value, their difference

struct Numbers {
    double attention, row_sink, all_sink, entropy, alpha;
};

/// Of a long run: what is known of a head that stands open.
Numbers numbers_at(const attention::OpenHead& open, const Place& place) {
    const std::vector<double>& alpha = open.statistics().alpha;
    const auto sinks = sinks_by(alpha);
    Numbers out{open.at(place.query, place.key), 0, mass_by(alpha, sinks),
                open.statistics().entropy[static_cast<std::size_t>(place.query)],
                alpha[static_cast<std::size_t>(place.key)]};
    for (int key = 0; key <= place.query; ++key)
        if (sinks[static_cast<std::size_t>(key)]) out.row_sink += open.at(place.query, key);
    return out;
}

std::shared_ptr<const attention::OpenHead> open_at(const ShownRun& run, const Place& place) {
    return run.is_long() ? run.store->find(place.layer, place.head, {}) : nullptr;
}

Numbers numbers_at(const ShownRun& run, const Place& place) {
    if (const auto open = open_at(run, place)) return numbers_at(*open, place);
    const figure::Matrix pattern = run.pattern(place.layer, place.head);
    const auto sinks = sink_columns(pattern);
    Numbers out{pattern.at(place.query, place.key), 0, mass_on(pattern, sinks),
                row_entropy(pattern, place.query), alpha_of(pattern)[static_cast<std::size_t>(place.key)]};
    for (int key = 0; key <= place.query; ++key)
        if (sinks[static_cast<std::size_t>(key)]) out.row_sink += pattern.at(place.query, key);
    return out;
}

bool has(const ShownRun& run, const Place& place) {
    return place.layer < run.layers && place.head < run.heads && place.query < run.size() &&
           (run.has_patterns() || open_at(run, place));
}

} // namespace

std::vector<Fact> facts_at(const ShownRun& run, const Place& place, const ShownRun* other_run,
                           const Place& other_place) {
    std::vector<Fact> out;
    if (!has(run, place)) return out;
    const Numbers ours = numbers_at(run, place);
    const bool compared = other_run && has(*other_run, other_place);
    const Numbers theirs = compared ? numbers_at(*other_run, other_place) : Numbers{};
    const auto add = [&](const QString& name, double Numbers::*part, const QString& meaning) {
        Fact fact{name, figure::number(ours.*part), {}, {}, meaning};
        if (compared) {
            fact.other = figure::number(theirs.*part);
            fact.difference = figure::number(ours.*part - theirs.*part);
        }
        out.push_back(std::move(fact));
    };
    add(QObject::tr("Attention"), &Numbers::attention,
        QObject::tr("The weight that the query gives to the key; over all keys of a query they sum to 1."));
    add(QObject::tr("On sinks, this query"), &Numbers::row_sink,
        QObject::tr("How much of this query's attention lies on the head's sinks: keys whose alpha is above "
                    "0.3."));
    add(QObject::tr("On sinks, all queries"), &Numbers::all_sink,
        QObject::tr("The same, mean over all queries: near 1 the head does next to nothing here."));
    add(QObject::tr("Entropy, nats"), &Numbers::entropy,
        QObject::tr("−Σ A ln A over this query's keys: 0 is a single key, ln n an even spread over n. Here "
                    "%1 bits.")
            .arg(figure::number(ours.entropy / std::numbers::ln2)));
    add(QObject::tr("Alpha of the key"), &Numbers::alpha,
        QObject::tr("Mean attention that the key gets from all queries that can see it."));
    return out;
}

Inspector::Inspector(Desk& desk, QWidget* parent)
    : QWidget(parent), desk_(desk), heading_(new QLabel(this)), second_(new QLabel(this)),
      table_(new QWidget(this)), grid_(new QGridLayout(table_)), about_(new QLabel(this)),
      next_(new NextTokensView(desk, this)) {
    auto* column = new QVBoxLayout(this);
    column->setContentsMargins(0, 6, 0, 0);
    column->setSpacing(6);
    for (QLabel* label : {heading_, second_, about_}) {
        label->setTextFormat(Qt::RichText);
        label->setWordWrap(true);
        label->setTextInteractionFlags(Qt::TextSelectableByMouse);
        label->setContentsMargins(10, 0, 10, 0);
    }
    grid_->setContentsMargins(10, 0, 10, 0);
    grid_->setHorizontalSpacing(8);
    grid_->setVerticalSpacing(3);
    grid_->setColumnStretch(0, 1);
    column->addWidget(heading_);
    column->addWidget(second_);
    column->addWidget(table_);
    column->addWidget(about_);
    column->addSpacing(2);
    column->addWidget(next_, 1);
    connect(&desk_, &Desk::run_changed, this, &Inspector::refresh);
    connect(&desk_, &Desk::facts_changed, this, &Inspector::refresh);
    connect(&desk_, &Desk::theme_changed, this, &Inspector::refresh);
    connect(&desk_.selection, &Selection::changed, this, &Inspector::refresh);
    connect(&desk_.heads, &HeadSet::changed, this, &Inspector::refresh);
    refresh();
}

QString Inspector::place_words(const ShownRun& run, const Place& place) const {
    const figure::Theme& theme = desk_.theme();
    const auto token = [&](const QString& mark, const QString& name, int at, const QColor& colour) {
        return QStringLiteral("<span style='color:%1'>%2</span> %3 %4 <span style='color:%1; "
                              "font-family:\"%5\"'>%6</span>")
            .arg(colour.name(), mark, name)
            .arg(at)
            .arg(theme.fixed, run.tokens[static_cast<std::size_t>(at)].shown.toHtmlEscaped());
    };
    return token(QStringLiteral("▲"), tr("query"), place.query, theme.query) + QStringLiteral("<br>") +
           token(QStringLiteral("▼"), tr("key"), place.key, theme.key);
}

void Inspector::show_facts(const std::vector<Fact>& facts, const QString& first, const QString& second) {
    while (cells_.size() < (facts.size() + 1) * columns) {
        auto* cell = new QLabel(table_);
        const int index = static_cast<int>(cells_.size()), at = index % columns;
        cell->setAlignment((at == 0 ? Qt::AlignLeft : Qt::AlignRight) | Qt::AlignVCenter);
        cell->setWordWrap(at == 0); // three columns of numbers leave the names little room
        grid_->addWidget(cell, index / columns, at);
        cells_.push_back(cell);
    }
    const bool compared = !second.isEmpty();
    const QString muted = QStringLiteral("color: %1").arg(desk_.theme().muted.name());
    const auto line = [&](std::size_t row, const std::array<QString, columns>& texts, const QString& tip,
                          bool shown) {
        for (std::size_t at = 0; at < columns; ++at) {
            QLabel* cell = cells_[row * columns + at];
            cell->setText(texts[at]);
            cell->setToolTip(tip);
            cell->setStyleSheet(row == 0 || at == 0 ? muted : QString());
            cell->setVisible(shown && (at < 2 || compared));
        }
    };
    line(0, {QString(), first, second, tr("Δ")}, tr("%1 minus %2").arg(first, second), compared);
    for (std::size_t i = 0; i * columns + columns < cells_.size(); ++i) {
        const bool there = i < facts.size();
        const Fact fact = there ? facts[i] : Fact{};
        line(i + 1, {fact.name, fact.value, fact.other, fact.difference}, fact.meaning, there);
    }
    table_->setVisible(!facts.empty());
}

void Inspector::refresh() {
    const RunPtr& run = desk_.shown();
    const Place& place = desk_.selection.place();
    if (!run || run->tokens.empty()) {
        heading_->setText(tr("Nothing is selected"));
        second_->hide();
        table_->hide();
        about_->setText(tr("Type a prompt: its tokens, heads and predictions can then be selected."));
        return;
    }
    const figure::Theme& theme = desk_.theme();
    const auto head_name = [](const Place& where) {
        return QStringLiteral("L%1 H%2").arg(where.layer).arg(where.head);
    };
    heading_->setText(QStringLiteral("<span style='font-size:15px; font-weight:600'>%1</span><br>%2")
                          .arg(head_name(place), place_words(*run, place)));
    // Compared with B at the same place, or with another place in the same run.
    const auto& second = desk_.selection.second();
    const bool difference = desk_.side() == Side::difference && desk_.why_no_difference().isEmpty();
    second_->setVisible(second.has_value());
    if (second)
        second_->setText(tr("compared with <b>%1</b>, query %2, key %3 (Esc: no more)")
                             .arg(head_name(*second))
                             .arg(second->query)
                             .arg(second->key));
    if (second)
        show_facts(facts_at(*run, place, run.get(), *second), tr("here"), tr("there"));
    else if (difference)
        show_facts(facts_at(*desk_.a(), place, desk_.b().get(), place), tr("A"), tr("B"));
    else
        show_facts(facts_at(*run, place, nullptr, place), {}, {});
    if (!has(*run, place)) {
        about_->clear();
        return;
    }
    const auto open = open_at(*run, place);
    const auto sinks =
        open ? sinks_by(open->statistics().alpha) : sink_columns(run->pattern(place.layer, place.head));
    const auto sink = std::find(sinks.begin(), sinks.end(), true);
    QString words =
        sink != sinks.end()
            ? tr("This head has a sink: averaged over the queries that see it, key %1 gets more than 0.3 of "
                 "the attention.")
                  .arg(sink - sinks.begin())
            : tr("Each row is one query's attention over the keys before it; a row sums to 1.");
    if (desk_.edits.head_is_edited(place.layer, place.head))
        words = tr("Changed by an intervention: Space switches it off.");
    if (!desk_.heads.all().empty())
        words +=
            tr("<br>Set of %1: %2 (S adds or takes out)")
                .arg(desk_.heads.all().size())
                .arg(desk_.heads.all().size() > 6 ? tr("see the dots in the grid") : desk_.heads.names());
    about_->setText(QStringLiteral("<span style='color:%1'>%2</span>").arg(theme.muted.name(), words));
}

} // namespace vitrine::views
