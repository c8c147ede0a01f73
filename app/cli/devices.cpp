#include "app/cli/commands.h"
#include "app/cli/documents.h"
#include "app/cli/program.h"
#include "app/cli/table.h"

namespace vitrine::cli {

namespace {

std::string describe_devices(const Json& document) {
    Table table({"id", "name", "type", "memory", "driver", "api"});
    for (const Json& device : document["devices"])
        table.add({device["id"], device["name"], device["type"],
                   bytes_text(device["memory_bytes"].get<double>()), device["driver"], device["api"]});
    return table.text() + "auto: " + document["auto"].get<std::string>() + "\n";
}

} // namespace

void add_devices(CLI::App& app, Program& program) {
    auto* command = app.add_subcommand("devices", "What this machine can compute on");
    program.on(*command, []() -> Result<Outcome> {
        return Outcome{devices_document(backend::list_devices()), describe_devices};
    });
}

} // namespace vitrine::cli
