#include "app/window/prompt_sets.h"

#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "core/base/mapped_file.h"
#include "core/engine/prompts.h"
#include "core/engine/resources.h"
#include "core/engine/row_marks.h"

namespace vitrine::window {

std::vector<views::PromptSet> shipped_prompt_sets() {
    std::vector<views::PromptSet> out;
    const auto resources = engine::resources_folder();
    if (!resources) return out;
    const auto folder = *resources / "prompts";
    const auto text = read_text(folder / "sets.json");
    const auto sets = text ? parse_json(*text, "sets.json") : Result<Json>(Json::array());
    if (!sets || !sets->is_array()) return out;
    const auto word = [](const Json& set, const char* name) {
        return QString::fromStdString(set.value(name, std::string()));
    };
    for (const Json& set : *sets)
        out.push_back({word(set, "name"),
                       QString::fromStdString((folder / set.value("file", std::string())).string()),
                       word(set, "about")});
    return out;
}

Result<std::vector<run::RunRow>> rows_of_file(const engine::OpenModel& model, const std::string& file,
                                              tokenizer::Specials specials) {
    VITRINE_ASSIGN(const auto lines, engine::read_prompts(file));
    std::vector<run::RunRow> rows;
    const engine::WantedMarks wanted;
    for (const engine::PromptLine& line : lines) {
        VITRINE_ASSIGN(run::RunRow row, engine::row_of_line(model, line, specials, &wanted));
        rows.push_back(std::move(row));
    }
    if (rows.empty()) return fail(Code::malformed, file + " holds no prompt: choose another file.");
    return rows;
}

void name_prompts(engine::AnalysisRecord& record, const std::string& file, std::size_t rows) {
    record.provenance["prompts"] = file;
    const std::string set =
        fmt::format("Measured on {} ({} rows).", std::filesystem::path(file).filename().string(), rows);
    const auto note = std::find_if(record.results.begin(), record.results.end(), [](const auto& result) {
        return result.name == "note" && result.json.is_string();
    });
    if (note != record.results.end())
        note->json = set + " " + note->json.get<std::string>();
    else
        record.results.push_back({"note", "text", {}, {}, set, {}});
}

bool averages_over_rows(const QString& analysis) {
    static constexpr std::array of_rows = {"sink-rate", "head-entropy", "head-metrics"};
    return std::any_of(of_rows.begin(), of_rows.end(),
                       [&](const char* id) { return analysis == QLatin1String(id); });
}

} // namespace vitrine::window
