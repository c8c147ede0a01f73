#include "app/cli/commands.h"
#include "app/cli/program.h"

namespace vitrine::cli {

void add_serve(CLI::App& app, Program& program) {
    auto* command =
        app.add_subcommand("serve", "Commands as lines of JSON on standard input (not in this version)");
    program.on(*command, []() -> Result<Outcome> {
        return fail(Code::unsupported, "This version has no serve yet; call one command at a time instead.");
    });
}

} // namespace vitrine::cli
