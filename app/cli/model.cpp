#include <memory>

#include <fmt/format.h>

#include "app/cli/commands.h"
#include "app/cli/documents.h"
#include "app/cli/help_texts.h"
#include "app/cli/program.h"
#include "app/cli/table.h"
#include "core/formats/tensor_files.h"

namespace vitrine::cli {

namespace {

constexpr int exit_check_failed = 3;

struct ModelOptions {
    std::string model;
    bool tensors = false;
    bool check = false;
    bool again = false;
    bool accept = false;
};

std::string describe_model(const Json& document) {
    std::string text = fields_text(document["model"]);
    Table parts({"part", "parameters", "size", "stored as"});
    for (const Json& part : document["parts"]) {
        std::string dtypes;
        for (const auto& [dtype, parameters] : part["dtypes"].items())
            dtypes += (dtypes.empty() ? "" : ", ") + dtype;
        parts.add({part["part"], part["parameters"], bytes_text(part["bytes"].get<double>()), dtypes});
    }
    text += "\n" + parts.text();
    if (document.contains("tensors")) {
        Table table({"tensor", "shape", "type", "size"});
        for (const Json& tensor : document["tensors"])
            table.add({tensor["name"], dump_json(tensor["shape"]), tensor["dtype"],
                       bytes_text(tensor["bytes"].get<double>())});
        text += "\n" + table.text();
    }
    if (document.contains("check")) text += "\nself-check against the CPU\n" + fields_text(document["check"]);
    return text;
}

/// The file's own tensors; those of a shape made in memory under the names the engine uses.
Result<Json> tensors_of(const std::string& name, const model::Model& model) {
    Json tensors = Json::array();
    if (model.format != "memory") {
        VITRINE_ASSIGN(const auto folder, engine::model_folder(name));
        VITRINE_ASSIGN(const auto files, formats::TensorFiles::open(folder));
        for (const auto& tensor : files.tensors())
            tensors.push_back(
                tensor_document(tensor.name, tensor.view.shape, tensor.view.dtype, tensor.view.bytes()));
        return tensors;
    }
    for (const auto& weight : model.weights)
        tensors.push_back(tensor_document(weight.name, {weight.rows, weight.cols}, weight.dtype,
                                          stored_bytes(weight.dtype, weight.rows * weight.cols)));
    return tensors;
}

Result<Outcome> model_command(Program& program, const ModelOptions& options) {
    VITRINE_ASSIGN(const auto description,
                   engine::describe_model(options.model, program.cancel(), program.progress()));
    const auto* tokenizer = description.tokenizer ? &*description.tokenizer : nullptr;
    Outcome outcome{{{"model", model_document(description.model, tokenizer)},
                     {"parts", parts_document(description.model)}},
                    describe_model};
    if (options.tensors) {
        VITRINE_ASSIGN(outcome.document["tensors"], tensors_of(options.model, description.model));
    }
    if (!options.check && !options.again && !options.accept) return outcome;
    VITRINE_ASSIGN(const auto open, program.open_model(options.model));
    VITRINE_ASSIGN(auto check,
                   program.engine().self_check(*open, program.cancel(), program.progress(), options.again));
    if (options.accept && !check.passed) {
        program.record_in_session();
        VITRINE_ASSIGN(check, program.engine().accept_check(*open, check));
    }
    outcome.document["check"] = check_document(check);
    if (!check.passed) outcome.exit = exit_check_failed;
    return outcome;
}

} // namespace

void add_model(CLI::App& app, Program& program) {
    auto* command = app.add_subcommand("model", "What a model is");
    auto options = std::make_shared<ModelOptions>();
    command->add_option("MODEL", options->model, model_help)->required();
    command->add_flag("--tensors", options->tensors, "Also every stored tensor");
    command->add_flag(
        "--check", options->check,
        "Compare the device with the CPU on a fixed prompt; exit 3 outside the band. What this "
        "version has measured before on these weights, device and driver is not measured again");
    command->add_flag("--check-again", options->again, "The same, measured again");
    command->add_flag(
        "--accept", options->accept,
        "Outside the band: remember that this is known, so that the window no longer warns; a step "
        "of --session");
    program.on(*command, [&program, options] { return model_command(program, *options); });
}

} // namespace vitrine::cli
