#include "core/engine/parameter_rows.h"

#include <fmt/format.h>

#include "core/engine/prompts.h"
#include "core/run/runner.h"

namespace vitrine::engine {

namespace {

Result<std::vector<run::RunRow>> rows_in(const OpenModel& model, const std::string& file) {
    VITRINE_ASSIGN(const auto lines, read_prompts(file));
    std::vector<run::RunRow> rows;
    for (const PromptLine& line : lines) {
        run::RunRow row;
        if (line.ids) {
            row.ids = *line.ids;
        } else {
            VITRINE_ASSIGN(row, encode_row(model, line.text, tokenizer::Specials::by_template));
        }
        rows.push_back(std::move(row));
    }
    if (rows.empty())
        return fail(Code::malformed, fmt::format("{} holds no prompt: choose another file.", file));
    run::RunSpec spec;
    spec.rows = rows;
    VITRINE_TRY(run::check(model.model, spec));
    return rows;
}

} // namespace

Status read_parameter_rows(const OpenModel& model, const Json& manifest, Json& parameters) {
    for (const Json& entry : manifest.at("parameters")) {
        Json& value = parameters[entry.at("name").get<std::string>()];
        if (entry.at("type") != "rows" || !value.is_string()) continue;
        const auto file = value.get<std::string>().substr(1);
        VITRINE_ASSIGN(const auto rows, rows_in(model, file));
        value = Json::array();
        for (const run::RunRow& row : rows) {
            Json line{{"ids", row.ids}};
            std::vector<bool> special = row.special;
            special.resize(row.ids.size(), false);
            line["special"] = std::move(special);
            value.push_back(std::move(line));
        }
    }
    return {};
}

} // namespace vitrine::engine
