#include <algorithm>
#include <memory>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "app/cli/bench_work.h"
#include "app/cli/commands.h"
#include "app/cli/documents.h"
#include "app/cli/machine.h"
#include "app/cli/program.h"
#include "app/cli/table.h"
#include "core/engine/prompts.h"

namespace vitrine::cli {

namespace {

struct BenchOptions {
    std::vector<std::string> works;
    std::string model = "gpt2-small";
    std::string tokens;
    std::vector<std::string> captures;
    int runs = 5;
};

const std::vector<std::string> known_works = {"load", "forward", "decode", "sweep", "patch"};

std::string describe_bench(const Json& document) {
    std::string text = fields_text(document["machine"]) + "\n";
    Table table({"work", "model", "tokens", "rows", "capture", "device", "precision", "median ms", "min ms",
                 "tokens/s", "peak memory", "share of peak"});
    for (const Json& row : document["rows"])
        table.add({row["work"], row["model"], row["tokens"], row["batch"], row["capture"], row["device"],
                   row["precision"], row["median_ms"], row["min_ms"], row["tokens_per_s"],
                   bytes_text(row["peak_bytes"].get<double>()), row["share_of_peak"]});
    return text + table.text();
}

Result<BenchPlan> plan_of(const BenchOptions& options) {
    BenchPlan plan;
    plan.works = options.works.empty() ? known_works : options.works;
    for (const std::string& work : plan.works)
        if (std::find(known_works.begin(), known_works.end(), work) == known_works.end())
            return fail(Code::unsupported,
                        fmt::format("This version does not measure \"{}\"; it measures {}.", work,
                                    fmt::join(known_works, ", ")));
    if (!options.tokens.empty()) {
        VITRINE_ASSIGN(const auto tokens, engine::parse_ids(options.tokens));
        for (const auto count : tokens)
            if (count < 1)
                return fail(Code::usage, "--tokens takes numbers of at least 1, such as 16,128,512.");
        plan.tokens = plan.sweep_tokens = plan.patch_tokens = {tokens.begin(), tokens.end()};
    }
    plan.captures = options.captures.empty() ? std::vector<std::string>{"none"} : options.captures;
    for (const std::string& capture : plan.captures)
        if (capture != "none" && capture != "all")
            return fail(Code::usage, fmt::format("--capture takes none or all, not \"{}\".", capture));
    plan.runs = options.runs;
    return plan;
}

Result<Outcome> bench(Program& program, const BenchOptions& options) {
    VITRINE_ASSIGN(const BenchPlan plan, plan_of(options));
    BenchSubject subject;
    subject.name = options.model;
    subject.device = program.common().device;
    subject.threads = program.common().threads;
    subject.precision = program.precision();
    VITRINE_ASSIGN(auto result, run_bench(subject, plan, program.cancel(), program.progress()));
    Json machine = machine_document(program.common().threads);
    machine["device"] = result.device.name;
    machine["driver"] = result.device.driver;
    machine["peak_flop_per_s"] = number(result.peak);
    return Outcome{{{"machine", std::move(machine)}, {"rows", std::move(result.rows)}}, describe_bench};
}

} // namespace

void add_bench(CLI::App& app, Program& program) {
    auto* command = app.add_subcommand("bench", "How fast this machine loads, runs and decodes");
    auto options = std::make_shared<BenchOptions>();
    command->add_option("WORK", options->works,
                        "load, forward, decode; sweep: every head zeroed by itself; patch: the residual "
                        "stream of another prompt, by layer and position (all)");
    command->add_option(
        "--model", options->model,
        "Model, or gpt2-small, llama-160m, llama-1.1b: shapes with random weights (gpt2-small)");
    command->add_option("--tokens", options->tokens, "Lengths (16,128,512; sweep 16, patch 64)");
    program.add_texts(*command, "--capture", options->captures,
                      "none, or all attention patterns and residuals (none); repeatable");
    command->add_option("--runs", options->runs, "Timed runs after one that is not (5)")
        ->check(CLI::Range(1, 10000));
    program.on(*command, [&program, options] { return bench(program, *options); });
}

} // namespace vitrine::cli
