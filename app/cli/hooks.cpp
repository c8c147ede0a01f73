#include <memory>

#include "app/cli/commands.h"
#include "app/cli/documents.h"
#include "app/cli/help_texts.h"
#include "app/cli/program.h"
#include "app/cli/table.h"
#include "core/engine/engine.h"

namespace vitrine::cli {

namespace {

std::string describe_hooks(const Json& document) {
    Table table({"hook", "axes", "shape"});
    for (const Json& hook : document["hooks"]) {
        std::string axes;
        std::string shape;
        for (const Json& axis : hook["axes"])
            axes += (axes.empty() ? "" : " ") + axis.get<std::string>();
        for (const Json& size : hook["shape"])
            shape += (shape.empty() ? "" : " ") + (size.is_null() ? "?" : size.dump());
        table.add({hook["name"], axes, shape});
    }
    return table.text();
}

} // namespace

void add_hooks(CLI::App& app, Program& program) {
    auto* command = app.add_subcommand("hooks", "Values of a model that can be captured and edited");
    auto name = std::make_shared<std::string>();
    command->add_option("MODEL", *name, model_help)->required();
    program.on(*command, [&program, name]() -> Result<Outcome> {
        VITRINE_ASSIGN(const auto description,
                       engine::describe_model(*name, program.cancel(), program.progress()));
        return Outcome{hooks_document(description.model.spec), describe_hooks};
    });
}

} // namespace vitrine::cli
