#pragma once
// One function a command: it adds the subcommand with its options and says what it does.
#include <CLI/CLI.hpp>

namespace vitrine::cli {

class Program;

void add_devices(CLI::App& app, Program& program);
void add_model(CLI::App& app, Program& program);
void add_models(CLI::App& app, Program& program);
void add_tasks(CLI::App& app, Program& program);
void add_tokenize(CLI::App& app, Program& program);
void add_hooks(CLI::App& app, Program& program);
void add_run(CLI::App& app, Program& program);
void add_generate(CLI::App& app, Program& program);
void add_analyze(CLI::App& app, Program& program);
void add_bench(CLI::App& app, Program& program);
void add_session(CLI::App& app, Program& program);
void add_serve(CLI::App& app, Program& program);

} // namespace vitrine::cli
