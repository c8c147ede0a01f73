#include <fmt/format.h>

#include "app/cli/commands.h"
#include "app/cli/documents.h"
#include "app/cli/program.h"
#include "app/cli/table.h"
#include "core/catalogue/catalogue.h"

namespace vitrine::cli {

namespace {

std::string describe_models(const Json& document) {
    Table table({"model", "store", "family", "parameters", "needs", "path"});
    std::string problems;
    for (const Json& model : document["models"]) {
        table.add({model["name"], model["store"], model["family"], model["parameters"],
                   model["bytes_needed"].is_null() ? "-" : bytes_text(model["bytes_needed"].get<double>()),
                   model["path"]});
        if (!model["problem"].is_null())
            problems += fmt::format("{}: {}\n", model["name"].get<std::string>(),
                                    model["problem"].get<std::string>());
    }
    for (const Json& store : document["stores"])
        if (!store["problem"].is_null())
            problems += fmt::format("{}: {}\n", store["name"].get<std::string>(),
                                    store["problem"].get<std::string>());
    return table.text() + "free memory: " + bytes_text(document["bytes_free"].get<double>()) + "\n" +
           (problems.empty() ? "" : "\ncannot be opened\n" + problems);
}

Json entry_document(const catalogue::Entry& entry) {
    const bool readable = entry.problem.empty();
    return {{"name", entry.name},
            {"store", entry.store},
            {"path", entry.path.string()},
            {"format", or_null(entry.format)},
            {"family", or_null(entry.family)},
            {"parameters", readable ? Json(entry.parameters) : Json(nullptr)},
            {"bytes_needed", readable ? Json(entry.bytes) : Json(nullptr)},
            {"problem", or_null(entry.problem)}};
}

Result<Outcome> models() {
    catalogue::Entry built_in;
    built_in.name = "default";
    built_in.store = "Vitrine";
    VITRINE_ASSIGN(built_in.path, engine::model_folder(built_in.name));
    VITRINE_TRY(catalogue::describe(built_in));
    const auto listing = catalogue::list(catalogue::places());
    Json list = Json::array({entry_document(built_in)});
    for (const auto& entry : listing.models)
        list.push_back(entry_document(entry));
    Json stores = Json::array();
    for (const auto& store : listing.stores)
        stores.push_back(
            {{"name", store.name}, {"path", store.path.string()}, {"problem", or_null(store.problem)}});
    return Outcome{{{"models", std::move(list)},
                    {"stores", std::move(stores)},
                    {"bytes_free", catalogue::available_memory()}},
                   describe_models};
}

} // namespace

void add_models(CLI::App& app, Program& program) {
    auto* command = app.add_subcommand("models", "Models that can be named without a path");
    program.on(*command, [] { return models(); });
}

} // namespace vitrine::cli
