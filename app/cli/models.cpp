#include <filesystem>

#include <sys/sysinfo.h>

#include "app/cli/commands.h"
#include "app/cli/program.h"
#include "app/cli/table.h"

namespace vitrine::cli {

namespace {

std::string describe(const Json& document) {
    Table table({"model", "family", "parameters", "needs", "path"});
    for (const Json& model : document["models"])
        table.add({model["name"], model["family"], model["parameters"],
                   bytes_text(model["bytes_needed"].get<double>()), model["path"]});
    return table.text() + "free memory: " + bytes_text(document["bytes_free"].get<double>()) + "\n";
}

std::uint64_t free_memory() {
    struct sysinfo info = {};
    if (sysinfo(&info) != 0) return 0;
    return (static_cast<std::uint64_t>(info.freeram) + info.bufferram) * info.mem_unit;
}

Result<Outcome> models(Program& program) {
    Json list = Json::array();
    VITRINE_ASSIGN(const auto description,
                   engine::describe_model("default", program.cancel(), program.progress()));
    const model::Model& model = description.model;
    list.push_back({{"name", "default"},
                    {"path", model.path},
                    {"format", model.format},
                    {"family", model.spec.family},
                    {"parameters", model.parameters},
                    {"bytes_needed", static_cast<std::uint64_t>(model.parameters) * sizeof(float)}});
    return Outcome{{{"models", std::move(list)}, {"bytes_free", free_memory()}}, describe};
}

} // namespace

void add_models(CLI::App& app, Program& program) {
    auto* command = app.add_subcommand("models", "Models that can be named without a path");
    program.on(*command, [&program] { return models(program); });
}

} // namespace vitrine::cli
