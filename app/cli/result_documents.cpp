#include "app/cli/result_documents.h"

#include <fmt/format.h>

#include "app/cli/documents.h"
#include "app/cli/table.h"
#include "core/engine/export_data.h"

namespace vitrine::cli {

namespace {

constexpr std::size_t widest_table = 16;

std::string label_of(const Json& axis, std::size_t index) {
    if (axis["labels"].is_array()) return axis["labels"][index].get<std::string>();
    return std::to_string(index);
}

std::string objects_text(const Json& rows) {
    if (rows.empty()) return "(empty)\n";
    std::vector<std::string> names;
    for (const auto& [name, value] : rows[0].items())
        names.push_back(name);
    Table table(names);
    for (const Json& row : rows) {
        std::vector<Json> cells;
        for (const std::string& name : names) {
            const Json value = row.value(name, Json(nullptr));
            if (name == "token" && value.is_string())
                cells.push_back(token_cell(value.get<std::string>()));
            else if (name == "id" && value.is_number_integer())
                cells.push_back(std::to_string(value.get<std::int64_t>())); // a name, not an amount
            else
                cells.push_back(value);
        }
        table.add(cells);
    }
    return table.text();
}

std::string series_text(const Json& result) {
    const Json& axis = result["axes"][0];
    Table table({axis["name"].get<std::string>(), result["name"].get<std::string>()});
    for (std::size_t i = 0; i < result["data"].size(); ++i)
        table.add({label_of(axis, i), result["data"][i]});
    return table.text();
}

std::string matrix_text(const Json& result) {
    const Json& rows = result["axes"][0];
    const Json& columns = result["axes"][1];
    const auto width = columns["size"].get<std::size_t>();
    std::vector<std::string> header = {rows["name"].get<std::string>() + " \\ " +
                                       columns["name"].get<std::string>()};
    for (std::size_t c = 0; c < width; ++c)
        header.push_back(label_of(columns, c));
    Table table(header);
    for (std::size_t r = 0; r < result["data"].size(); ++r) {
        std::vector<Json> cells = {label_of(rows, r)};
        for (const Json& value : result["data"][r])
            cells.push_back(value);
        table.add(cells);
    }
    return table.text();
}

/// Why a number is missing: what the analysis notes.
std::string missing_text(const Json& results) {
    for (const Json& result : results)
        if (result["name"] == "note" && result["data"].is_string())
            return "none: " + result["data"].get<std::string>() + "\n";
    return cell(nullptr) + "\n";
}

std::string result_text(const Json& result) {
    const Json& data = result["data"];
    const Json& axes = result["axes"];
    if (data.is_string()) return data.get<std::string>() + "\n";
    if (result["kind"] == "table") return objects_text(data);
    if (data.is_array() && !data.empty() && data[0].is_object()) return objects_text(data);
    if (axes.empty()) return cell(data) + "\n";
    if (axes.size() == 1 && data.is_array()) return series_text(result);
    if (axes.size() == 2 && axes[1]["size"].get<std::size_t>() <= widest_table) return matrix_text(result);
    std::string shape;
    for (const Json& axis : axes)
        shape += fmt::format("{}{} {}", shape.empty() ? "" : " × ", axis["size"].get<std::int64_t>(),
                             axis["name"].get<std::string>());
    return shape + ": --json, --data or --figure show it\n";
}

} // namespace

Json result_document(const engine::ResultValue& result) {
    Json axes = Json::array();
    for (const auto& axis : result.axes)
        axes.push_back({{"name", axis.name},
                        {"size", axis.size},
                        {"labels", axis.labels.empty() ? Json(nullptr) : Json(axis.labels)}});
    Json document = {{"name", result.name}, {"kind", result.kind}, {"axes", std::move(axes)}};
    if (!result.lengths.empty()) document["lengths"] = result.lengths;
    if (result.data.size() > engine::most_in_text) {
        document["data"] = nullptr;
        document["left_out"] =
            fmt::format("{} numbers are too many for JSON (at most {}): --data writes them as "
                        ".npz or .h5.",
                        result.data.size(), engine::most_in_text);
        return document;
    }
    document["data"] = engine::data_to_json(result);
    return document;
}

Json analysis_document(const engine::AnalysisRecord& record) {
    Json results = Json::array();
    for (const auto& result : record.results)
        results.push_back(result_document(result));
    return {{"analysis", record.id},
            {"parameters", record.parameters},
            {"provenance", record.provenance},
            {"step", record.step == 0 ? Json(nullptr) : Json(record.step)},
            {"results", std::move(results)}};
}

std::string describe_analysis(const Json& document) {
    std::string text = document["analysis"].get<std::string>() + "\n";
    for (const auto& [name, value] : document["parameters"].items())
        text += fmt::format("  {} = {}\n", name, cell(value));
    for (const Json& result : document["results"])
        text += fmt::format(
            "\n{} ({})\n{}", result["name"].get<std::string>(), result["kind"].get<std::string>(),
            result["kind"] == "number" && result["data"].is_null() ? missing_text(document["results"])
                                                                   : result_text(result));
    return text;
}

} // namespace vitrine::cli
