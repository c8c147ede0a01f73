#include "app/window/side_analysis.h"

#include "app/window/edit_texts.h"
#include "views/analyses/difference.h"
#include "views/attention/attention_pictures.h"

namespace vitrine::window {

AnalysedSide side_of(const views::ShownRun& run) {
    AnalysedSide out;
    for (const figure::Token& token : run.tokens) {
        out.row.ids.push_back(token.id);
        out.row.special.push_back(token.special);
    }
    out.edits = run.edits;
    return out;
}

std::vector<AnalysedSide> analysed_sides(const views::Desk& desk) {
    std::vector<AnalysedSide> out;
    if (!desk.a()) return out;
    if (desk.side() != views::Side::b) out.push_back(side_of(*desk.a()));
    if (desk.side() != views::Side::a && desk.b()) out.push_back(side_of(*desk.b()));
    return out;
}

Result<engine::AnalysisRecord> analyse_sides(engine::Engine& engine, engine::OpenModel& model,
                                             const std::string& id, const Json& values,
                                             const std::vector<AnalysedSide>& sides,
                                             const std::vector<run::RunRow>& set,
                                             tokenizer::Specials specials, const CancelToken& cancel,
                                             const Progress& progress, bool record) {
    std::vector<engine::AnalysisRecord> records;
    for (const AnalysedSide& side : sides) {
        VITRINE_ASSIGN(const auto changed, changes_of(model, side.edits, specials));
        std::vector<run::RunRow> rows = set;
        if (!side.row.ids.empty()) rows.push_back(side.row);
        VITRINE_ASSIGN(auto one, engine.analyze(model, id, values, rows, cancel, progress, record, changed));
        records.push_back(std::move(one));
    }
    if (records.empty()) return fail(Code::usage, "There is no run to analyse: type a prompt.");
    if (records.size() == 1) return records.front();
    engine::AnalysisRecord out = records.front();
    VITRINE_ASSIGN(out.results, views::difference_of(records[0].results, records[1].results));
    out.provenance["minus"] = records[1].provenance;
    return out;
}

QString command_of_sides(const engine::OpenModel& model, const std::vector<AnalysedSide>& sides,
                         const QString& id, const QString& options) {
    views::ShownRun where; // names the model and its device
    where.model = QString::fromStdString(model.request.name);
    where.device = QString::fromStdString(model.loaded->device().id);
    where.precision = QString::fromStdString(backend::name_of(model.loaded->precision()));
    QStringList lines;
    for (const AnalysedSide& side : sides)
        lines << views::analyze_command(where, id, side.row.ids, side.edits) + options;
    return lines.join(QLatin1Char('\n'));
}

} // namespace vitrine::window
