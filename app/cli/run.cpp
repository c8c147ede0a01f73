#include <memory>

#include <fmt/format.h>

#include "app/cli/capture_file.h"
#include "app/cli/commands.h"
#include "app/cli/program.h"
#include "app/cli/run_documents.h"
#include "app/cli/run_options.h"
#include "app/cli/timing.h"
#include "core/engine/prompts.h"

namespace vitrine::cli {

namespace {

struct RunCommandOptions : RunOptions {
    std::string positions = "last";
    int top = 10;
};

Status fill_positions(const std::string& text, run::RunSpec& spec) {
    if (text == "last") {
        spec.choice = run::PositionChoice::last;
    } else if (text == "all") {
        spec.choice = run::PositionChoice::all;
    } else {
        const auto list = engine::parse_ids(text);
        if (!list)
            return fail(
                Code::usage,
                fmt::format("--positions takes last, all or numbers such as 0,3,-1, not \"{}\".", text));
        spec.choice = run::PositionChoice::list;
        spec.positions.assign(list->begin(), list->end());
    }
    return {};
}

Result<Outcome> run_command(Program& program, const RunCommandOptions& options) {
    run::RunSpec spec;
    VITRINE_TRY(fill_positions(options.positions, spec));
    VITRINE_TRY(options.check());
    VITRINE_TRY(texts_of(options.prompts));
    VITRINE_ASSIGN(const auto model, program.open_model(options.model));
    Timing timing;
    timing.load_ms = model->load_ms;
    const Stopwatch clock;
    VITRINE_ASSIGN(const auto inputs, rows_of(*model, options.prompts, true));
    timing.tokenize_ms = clock.ms();
    spec.rows = run_rows(inputs);
    spec.top = options.top;
    spec.logits = options.compare_clean;
    VITRINE_TRY(options.fill(*model, spec));
    program.record_in_session();

    engine::Engine& engine = program.engine();
    engine::RunRecord clean;
    if (options.compare_clean) {
        run::RunSpec unedited = spec;
        unedited.edits.clear();
        unedited.attention = {};
        VITRINE_ASSIGN(clean, engine.run(*model, unedited, program.cancel(), program.progress()));
    }
    VITRINE_ASSIGN(const auto record, engine.run(*model, spec, program.cancel(), program.progress()));
    timing.run_ms = record.result.run_ms;
    timing.read_ms = record.result.read_ms;
    if (!options.out.empty()) VITRINE_TRY(write_captures(options.out, *model, record, options.stored()));
    return Outcome{run_document(*model, inputs, record, options.compare_clean ? &clean : nullptr, timing),
                   describe_run};
}

} // namespace

void add_run(CLI::App& app, Program& program) {
    auto* command = app.add_subcommand("run", "A forward pass: next tokens, losses, captures, edits");
    auto options = std::make_shared<RunCommandOptions>();
    options->add(*command, program);
    program.add_text(*command, "--positions", options->positions,
                     "last, all, or numbers such as 0,3,-1 (last)");
    command->add_option("--top", options->top, "Most likely tokens at each position (10)")
        ->check(CLI::Range(0, 1000000));
    program.on(*command, [&program, options] { return run_command(program, *options); });
}

} // namespace vitrine::cli
