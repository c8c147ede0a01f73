#include <filesystem>
#include <memory>
#include <optional>

#include <fmt/format.h>

#include "app/cli/commands.h"
#include "app/cli/figure_file.h"
#include "app/cli/files.h"
#include "app/cli/help_texts.h"
#include "app/cli/program.h"
#include "app/cli/prompt_options.h"
#include "app/cli/result_documents.h"
#include "app/cli/run_options.h"
#include "app/cli/table.h"
#include "core/engine/analysis_registry.h"
#include "core/engine/export_data.h"

namespace vitrine::cli {

namespace {

struct AnalyzeOptions {
    bool list = false;
    std::string id;
    std::string model;
    PromptOptions prompts;
    std::vector<std::string> settings;
    std::vector<std::string> dictionaries;
    std::vector<std::string> edits;
    std::string attention;
    std::string figure;
    std::string data;
};

std::string describe_list(const Json& document) {
    Table table({"analysis", "what it shows", "parameters"});
    for (const Json& analysis : document["analyses"]) {
        std::string parameters;
        for (const Json& parameter : analysis["parameters"])
            parameters +=
                fmt::format("{}{}={}", parameters.empty() ? "" : " ", parameter["name"].get<std::string>(),
                            cell(parameter.value("default", Json(nullptr))));
        table.add({analysis["id"], analysis["title"], parameters});
    }
    return table.text();
}

Result<Json> parameters_of(const std::vector<std::string>& settings) {
    Json parameters = Json::object();
    for (const std::string& setting : settings) {
        const std::size_t equals = setting.find('=');
        if (equals == std::string::npos || equals == 0)
            return fail(Code::usage, fmt::format("--set \"{}\" is no NAME=VALUE.", setting));
        parameters[setting.substr(0, equals)] = setting.substr(equals + 1);
    }
    return parameters;
}

Result<Outcome> analyze(Program& program, const AnalyzeOptions& options) {
    if (options.list) return Outcome{{{"analyses", program.engine().manifests()}}, describe_list};
    if (options.id.empty() || options.model.empty())
        return fail(Code::usage, "analyze needs an ID and a MODEL; analyze --list shows the ids.");
    VITRINE_ASSIGN(const auto* const analysis, engine::find_analysis(options.id));
    const Json& manifest = analysis->manifest;
    if (!options.dictionaries.empty())
        return fail(Code::unsupported, "This version cannot open dictionaries yet; leave --dictionary out.");
    VITRINE_ASSIGN(Json parameters, parameters_of(options.settings));
    VITRINE_TRY(check_edits(options.edits));
    VITRINE_ASSIGN(const auto attention, run::parse_policy(options.attention));
    for (const Json& parameter : manifest["parameters"])
        if (parameter["name"] == "seed" && !parameters.contains("seed"))
            parameters["seed"] = program.common().seed;
    if (!options.data.empty()) {
        VITRINE_TRY(engine::check_data_suffix(options.data));
        VITRINE_TRY(check_output(options.data));
    }
    if (!options.figure.empty()) {
        VITRINE_TRY(check_figure_suffix(options.figure));
        VITRINE_TRY(check_output(options.figure));
    }
    VITRINE_ASSIGN(const auto model, program.open_model(options.model));
    const engine::WantedMarks wanted = engine::wanted_marks(manifest);
    VITRINE_ASSIGN(const auto inputs,
                   rows_of(*model, options.prompts, manifest["prompts"] == "required", &wanted));
    if (manifest["prompts"] == "none" && !inputs.empty())
        return fail(Code::usage, fmt::format("{} reads the model alone; leave the prompts out.", options.id));
    VITRINE_ASSIGN(const auto edits, read_edits(*model, options.prompts, options.edits));
    program.record_in_session();
    VITRINE_ASSIGN(const auto record,
                   program.engine().analyze(*model, options.id, parameters, run_rows(inputs),
                                            program.cancel(), program.progress(), true, {edits, attention}));
    // The figure first: a result without one is refused before anything is written.
    if (!options.figure.empty()) VITRINE_TRY(write_figure(options.figure, record));
    if (!options.data.empty())
        VITRINE_TRY(engine::export_data(options.data, {record.id, record.parameters, record.provenance},
                                        record.results));
    return Outcome{analysis_document(record), describe_analysis};
}

} // namespace

void add_analyze(CLI::App& app, Program& program) {
    auto* command = app.add_subcommand("analyze", "An analysis of a model on prompts; --list shows all");
    auto options = std::make_shared<AnalyzeOptions>();
    command->add_flag("--list", options->list, "All analyses with their parameters and results");
    command->add_option("ID", options->id, "Analysis: an id that --list shows");
    command->add_option("MODEL", options->model, model_help);
    options->prompts.add(*command, program);
    program.add_texts(*command, "--set", options->settings,
                      "NAME=VALUE of a parameter that --list shows; repeatable");
    program.add_texts(*command, "--edit", options->edits, edit_help);
    program.add_text(*command, "--attention", options->attention, attention_help);
    program.add_texts(*command, "--dictionary", options->dictionaries, "Dictionary (not in this version)");
    program.add_text(*command, "--figure", options->figure, "Write a figure: .svg, .pdf or .png");
    program.add_text(*command, "--data", options->data,
                     "Write the numbers: .npz, .csv or .h5; .npy: the first array alone");
    command->footer(
        "Example: vitrine-cli analyze lens default --prompt \"The ship sailed at\" --figure lens.svg\n"
        "         vitrine-cli analyze ov-qk default --set coordinates=folded");
    program.on(*command, [&program, options] { return analyze(program, *options); });
}

} // namespace vitrine::cli
