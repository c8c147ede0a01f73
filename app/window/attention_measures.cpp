#include "app/window/attention_measures.h"

#include "app/window/side_analysis.h"

namespace vitrine::window {

AttentionMeasures::AttentionMeasures(Bench& bench, views::Desk& desk, Runner& runner,
                                     views::AttentionPage& page, QObject* parent)
    : QObject(parent), bench_(bench), desk_(desk), runner_(runner), page_(page) {
    connect(&page_, &views::AttentionPage::measure_wanted, this, [this] { ask(false); });
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
            return analyse_sides(engine, *model, id, values, sides, specials, cancel, progress, record);
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
