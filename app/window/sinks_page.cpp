#include "app/window/sinks_page.h"

#include <QMenu>

#include "views/figure/figure_for.h"
#include "views/sinks/sink_pictures.h"

namespace vitrine::window {

namespace {

QString token_at(const views::Desk& desk, int key) {
    const views::RunPtr& run = desk.a();
    return run && key < run->size() ? run->tokens[static_cast<std::size_t>(key)].shown : QString();
}

Panel map_panel() {
    return {{QStringLiteral("sink-map"), QStringLiteral("sink-norms"), QStringLiteral("sink-rate"),
             QStringLiteral("sink-key-bias"), QStringLiteral("sink-hidden")},
            {},
            [](const engine::AnalysisRecord& record, const figure::Theme& theme) -> figure::PicturePtr {
                figure::PicturePtr own;
                if (record.id == "sink-map") own = views::sink_map_picture(record.results, theme);
                if (record.id == "sink-norms") own = views::sink_norms_picture(record.results, theme);
                if (own) return own;
                return figure::figure_for(record.results, theme);
            }};
}

Panel what_if_panel(views::Desk& desk) {
    return {{QStringLiteral("sink-what-if"), QStringLiteral("sink-rate")},
            {},
            [&desk](const engine::AnalysisRecord& record, const figure::Theme& theme) -> figure::PicturePtr {
                const int key = record.parameters.value("key", 0);
                if (record.id == "sink-rate")
                    if (auto rate =
                            views::sink_rate_picture(record.results, record.parameters.value("epsilon", 0.3)))
                        return rate;
                if (auto what = views::what_if_picture(record.results, key, token_at(desk, key), desk.edits))
                    return what;
                return figure::figure_for(record.results, theme);
            }};
}

Panel norms_panel(const views::Desk& desk) {
    return {{QStringLiteral("sink-norms")},
            {},
            [&desk](const engine::AnalysisRecord& record, const figure::Theme& theme) -> figure::PicturePtr {
                const int key = record.parameters.value("key", 0);
                if (auto norms = views::sink_ratios_picture(record.results, key, token_at(desk, key)))
                    return norms;
                return figure::figure_for(record.results, theme);
            }};
}

} // namespace

SinksPage::SinksPage(Bench& bench, views::Desk& desk, Runner& runner, QWidget* parent)
    : PanelPage(bench, desk, runner, QStringLiteral("sinks"), map_panel(),
                {what_if_panel(desk), norms_panel(desk)}, parent),
      sinks_desk_(desk) {
    set_usual_upper(0.62); // a row for every change
    AnalysisPage* what = beside(0);
    what->stay_with_a(); // its changes are made to the run as it is
    connect(&desk.selection, &views::Selection::changed, this, &SinksPage::follow_key);
    connect(&desk, &views::Desk::run_changed, this, &SinksPage::follow_key);
    connect(&desk.edits, &views::EditList::changed, this, &SinksPage::follow_edits);
    connect(what->canvas(), &views::FigureCanvas::clicked, this,
            [this, what](const QPointF& at, Qt::KeyboardModifiers) {
                const auto picture = what_if();
                const int row = picture ? picture->row_at(at, what->canvas()->frame()) : -1;
                if (row >= 0) switch_change(picture->rows[static_cast<std::size_t>(row)].name);
            });
    connect(what->canvas(), &views::FigureCanvas::menu_opens, this,
            [this, what](QMenu& menu, const QPointF& at) {
                const auto picture = what_if();
                const int index = picture ? picture->row_at(at, what->canvas()->frame()) : -1;
                if (index < 0) return;
                const figure::WhatIf::Row& row = picture->rows[static_cast<std::size_t>(index)];
                menu.addAction(row.on ? tr("Take back: %1").arg(row.words) : row.words, this,
                               [this, name = row.name] { switch_change(name); });
                menu.addSeparator();
            });
    // The detail of a change is the run with it: a second click of a double click must not take it back.
    connect(what->canvas(), &views::FigureCanvas::double_clicked, this, [this, what](const QPointF& at) {
        const auto picture = what_if();
        const int row = picture ? picture->row_at(at, what->canvas()->frame()) : -1;
        if (row < 0) return;
        if (!picture->rows[static_cast<std::size_t>(row)].on)
            switch_change(picture->rows[static_cast<std::size_t>(row)].name);
        emit sinks_desk_.detail_wanted({});
    });
}

std::shared_ptr<figure::WhatIf> SinksPage::what_if() const {
    return std::dynamic_pointer_cast<figure::WhatIf>(beside(0)->canvas()->picture());
}

void SinksPage::switch_change(const QString& name) {
    const auto picture = what_if();
    if (!picture) return;
    for (const figure::WhatIf::Row& row : picture->rows) {
        if (row.name != name) continue;
        const QStringList texts = row.edits; // the picture changes with the list
        views::EditList& edits = sinks_desk_.edits;
        if (!views::are_on(texts, edits)) {
            edits.add_all(texts);
        } else {
            std::vector<views::Edit> rest = edits.all();
            std::erase_if(rest, [&](const views::Edit& edit) { return texts.contains(edit.text); });
            edits.set_all(std::move(rest));
        }
        return;
    }
}

std::vector<std::pair<QString, QString>> SinksPage::changes() const {
    std::vector<std::pair<QString, QString>> out;
    if (const auto picture = what_if())
        for (const figure::WhatIf::Row& row : picture->rows)
            out.emplace_back(row.name,
                             row.on ? tr("Take back: %1").arg(row.words) : tr("What if: %1").arg(row.words));
    return out;
}

void SinksPage::follow_key() {
    const int key = sinks_desk_.selection.place().key;
    if (key == key_ || !sinks_desk_.a()) return;
    key_ = key;
    for (AnalysisPage* panel : {beside(0), beside(1)})
        panel->follow("key", std::to_string(key));
    if (main()->chosen() != QLatin1String("sink-map")) main()->follow("key", std::to_string(key));
}

void SinksPage::follow_edits() {
    if (what_if()) beside(0)->repaint_results();
}

} // namespace vitrine::window
