#include <charconv>
#include <map>
#include <memory>

#include <fmt/format.h>

#include "app/cli/capture_file.h"
#include "app/cli/commands.h"
#include "app/cli/program.h"
#include "app/cli/run_documents.h"
#include "app/cli/run_options.h"
#include "app/cli/timing.h"

namespace vitrine::cli {

namespace {

struct GenerateOptions : RunOptions {
    int max_new = 32;
    double temperature = 0;
    int top_k = 0;
    double top_p = 1;
    int samples = 1;
    std::vector<std::string> branches;
};

/// STEP:TOKEN, a step from 0 and an id or a text that is exactly one token.
Result<std::map<int, std::int32_t>> branches_of(const engine::OpenModel& model,
                                                const std::vector<std::string>& texts) {
    std::map<int, std::int32_t> out;
    for (const std::string& text : texts) {
        const std::size_t colon = text.find(':');
        int step = -1;
        const char* const end = text.data() + (colon == std::string::npos ? 0 : colon);
        const auto read = std::from_chars(text.data(), end, step);
        if (colon == 0 || colon == std::string::npos || read.ec != std::errc() || read.ptr != end || step < 0)
            return fail(Code::usage,
                        fmt::format("--branch \"{}\" is no STEP:TOKEN; steps count from 0.", text));
        const std::string token = text.substr(colon + 1);
        std::int32_t id = -1;
        const auto number = std::from_chars(token.data(), token.data() + token.size(), id);
        if (number.ec != std::errc() || number.ptr != token.data() + token.size()) {
            const auto single =
                model.tokenizer ? model.tokenizer->single_token(token) : std::optional<std::int32_t>();
            if (!single)
                return fail(Code::usage,
                            fmt::format("--branch \"{}\": \"{}\" is neither an id nor exactly one token of "
                                        "this model; a leading space is part of a token.",
                                        text, token));
            id = *single;
        }
        if (!out.emplace(step, id).second)
            return fail(Code::usage, fmt::format("--branch names step {} twice; leave one out.", step));
    }
    return out;
}

Result<Outcome> generate(Program& program, const GenerateOptions& options) {
    VITRINE_TRY(options.check());
    VITRINE_TRY(texts_of(options.prompts));
    VITRINE_ASSIGN(const auto model, program.open_model(options.model));
    Timing timing;
    timing.load_ms = model->load_ms;
    const Stopwatch clock;
    VITRINE_ASSIGN(const auto inputs, rows_of(*model, options.prompts, true));
    timing.tokenize_ms = clock.ms();

    run::GenerateSpec spec;
    std::vector<std::size_t> sources;
    for (std::size_t i = 0; i < inputs.size(); ++i)
        for (int sample = 0; sample < options.samples; ++sample) {
            spec.prompt.rows.push_back(inputs[i].row);
            sources.push_back(i);
        }
    spec.prompt.loss = false;
    spec.max_new = options.max_new;
    spec.temperature = options.temperature;
    spec.top_k = options.top_k;
    spec.top_p = options.top_p;
    spec.seed = program.common().seed;
    spec.stop_ids = model->stop_ids;
    VITRINE_ASSIGN(spec.forced, branches_of(*model, options.branches));
    VITRINE_TRY(options.fill(*model, spec.prompt));
    program.record_in_session();

    engine::Engine& engine = program.engine();
    engine::GenerateRecord clean;
    if (options.compare_clean) {
        run::GenerateSpec unedited = spec;
        unedited.prompt.edits.clear();
        unedited.prompt.attention = {};
        VITRINE_ASSIGN(clean, engine.generate(*model, unedited, {}, program.cancel(), program.progress()));
    }
    VITRINE_ASSIGN(const auto record,
                   engine.generate(*model, spec, {}, program.cancel(), program.progress()));
    timing.run_ms = record.result.run_ms;
    if (!options.out.empty()) VITRINE_TRY(write_captures(options.out, *model, record, options.stored()));
    return Outcome{
        generate_document(*model, inputs, sources, record, options.compare_clean ? &clean : nullptr, timing),
        describe_generate};
}

} // namespace

void add_generate(CLI::App& app, Program& program) {
    auto* command = app.add_subcommand("generate", "Continues prompts, one token at a time");
    auto options = std::make_shared<GenerateOptions>();
    options->add(*command, program);
    command->add_option("--max-new", options->max_new, "New tokens at most (32)")
        ->check(CLI::Range(1, 1000000));
    command->add_option("--temperature", options->temperature, "0 takes the most likely token (0)")
        ->check(CLI::Range(0.0, 1000.0));
    command->add_option("--top-k", options->top_k, "Draw among the K most likely; 0: all (0)")
        ->check(CLI::Range(0, 1000000000));
    command
        ->add_option("--top-p", options->top_p, "Draw among the fewest that have probability P together (1)")
        ->check(CLI::Range(0.0, 1.0));
    command->add_option("--samples", options->samples, "Continuations of each prompt (1)")
        ->check(CLI::Range(1, 100000));
    program.add_texts(*command, "--branch", options->branches,
                      "STEP:TOKEN, the token (its id or text) taken at a step from 0 in place of the one "
                      "that would be drawn, in every row; repeatable");
    program.on(*command, [&program, options] { return generate(program, *options); });
}

} // namespace vitrine::cli
