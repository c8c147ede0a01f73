#include "app/window/attention_measures.h"

#include <QElapsedTimer>
#include <algorithm>
#include <fmt/format.h>

#include "app/window/side_analysis.h"
#include "views/attention/sinks.h"

namespace vitrine::window {

AttentionMeasures::AttentionMeasures(Bench& bench, views::Desk& desk, Runner& runner,
                                     views::AttentionPage& page, QObject* parent)
    : QObject(parent), bench_(bench), desk_(desk), runner_(runner), page_(page) {
    connect(&page_, &views::AttentionPage::measure_wanted, this, [this] { ask(false); });
    connect(&page_, &views::AttentionPage::briefs_wanted, this, &AttentionMeasures::read_briefs);
}

// One head after another, those of the selected layer first.
void AttentionMeasures::read_briefs() {
    const views::RunPtr run = desk_.shown();
    if (!run || !run->store) return;
    const QPointer<AttentionMeasures> self(this);
    Bench* const there = &bench_; // outlives its jobs
    bench_.post(
        this, "briefs", "read all heads",
        [=, store = run->store, first = desk_.selection.place().layer, without = page_.options().sinks_out](
            engine::Engine&, const CancelToken& cancel, const Progress& progress) -> Status {
            ThreadPool pool;
            QElapsedTimer since_shown;
            since_shown.start();
            const int heads = store->heads(), all = store->layers() * heads;
            for (int done = 0; done < all; ++done) {
                const int layer = (first + done / heads) % store->layers(), head = done % heads;
                if (!store->has_layer(layer)) continue;
                VITRINE_TRY(store->read_brief(layer, head, {}, pool, cancel));
                const std::vector<bool> sinks = views::sinks_by(store->brief(layer, head)->alpha);
                if (without && std::find(sinks.begin(), sinks.end(), true) != sinks.end())
                    VITRINE_TRY(store->read_brief(layer, head, sinks, pool, cancel));
                if (progress)
                    progress(static_cast<double>(done + 1) / all, fmt::format("L{} H{}", layer, head));
                if (since_shown.elapsed() < 300 && done + 1 < all) continue;
                since_shown.restart();
                QMetaObject::invokeMethod(
                    there,
                    [self] {
                        if (self) self->page_.show_briefs();
                    },
                    Qt::QueuedConnection);
            }
            return {};
        },
        [this](const Status&) { page_.show_briefs(); }, engine::Priority::background);
}

void AttentionMeasures::record_shown() {
    if (page_.options().measure != views::Measure::weight) ask(true);
}

void AttentionMeasures::ask(bool record) {
    const auto model = bench_.model();
    const auto sides = analysed_sides(desk_);
    if (!model || sides.empty()) return;
    const views::Measure measure = page_.options().measure;
    const views::MeasureAnalysis wanted = views::analysis_of(measure);
    QString options;
    for (const auto& [name, value] : wanted.values.items())
        options += QStringLiteral(" --set ") +
                   views::shell_word(QString::fromStdString(name + "=" + value.get<std::string>()));
    const QString command = command_of_sides(*model, sides, wanted.id, options);
    bench_.post(
        this, record ? "record measure" : "measure", "analysis " + wanted.id.toStdString(),
        [=, id = wanted.id.toStdString(), values = wanted.values, specials = runner_.specials()](
            engine::Engine& engine, const CancelToken& cancel, const Progress& progress) {
            return analyse_sides(engine, *model, id, values, sides, {}, specials, cancel, progress, record);
        },
        [this, measure, command, record](const Result<engine::AnalysisRecord>& answer) {
            if (record) {
                emit recorded();
                return;
            }
            if (measure != page_.options().measure) return;
            if (answer)
                page_.show_measured(answer->results, command);
            else if (answer.error().code != Code::cancelled)
                page_.refuse_measure(QString::fromStdString(answer.error().message));
        },
        record ? engine::Priority::normal : engine::Priority::background);
}

} // namespace vitrine::window
