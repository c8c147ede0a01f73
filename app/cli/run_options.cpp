#include "app/cli/run_options.h"

#include "app/cli/files.h"
#include "app/cli/help_texts.h"
#include "app/cli/program.h"
#include "core/engine/edit_sources.h"
#include "core/model/hooks.h"

namespace vitrine::cli {

void RunOptions::add(CLI::App& command, Program& program) {
    command.add_option("MODEL", model, model_help)->required();
    prompts.add(command, program);
    program.add_texts(command, "--capture", captures, "Hook or glob whose values are kept; repeatable");
    program.add_texts(command, "--edit", edits, edit_help);
    command.footer(
        "Hooks are those that \"vitrine-cli hooks MODEL\" lists; L3H5 is that head's hook_z. OP is zero, "
        "scale X, add X, set X, mean [@PROMPTS] [by=position],\nmask (of scores), from row=R, from "
        "@F.h5:ROW, "
        "add X*@F.npy, set @F.npy, project-out @F.npy, cap X @F.npy or (of patterns) calibrate BETA "
        "THRESHOLD.\n"
        "Operations in place of others: mlp.hook_post identity (no activation function), attn.hook_pattern "
        "sigmoid (no softmax), hook_mlp_in parallel\n(the MLP reads what attention reads).\n"
        "Example: --edit \"L3H5 pos=-1 zero\" --edit \"blocks.2.hook_mlp_out scale 0.5\"");
    program.add_text(command, "--attention", attention, attention_help);
    command.add_flag("--compare-clean", compare_clean, "The same without edits and --attention beside it");
    program.add_text(command, "--out", out, "HDF5 file for the captures");
    command
        .add_option("--coordinates", coordinates,
                    "Of captures and logits: raw (the file's) or folded (as TransformerLens folds norms, "
                    "centres writing weights and unembedding, and folds value biases) (raw)")
        ->check(CLI::IsMember({"raw", "folded"}));
    command.add_option("--store-dtype", store_dtype, "float32 or float16 (float32)")
        ->check(CLI::IsMember({"float32", "float16"}));
}

Status RunOptions::check() const {
    if (!out.empty()) VITRINE_TRY(check_output(out));
    if (!out.empty() && captures.empty())
        return fail(Code::usage, "--out needs a --capture: there is nothing else that it would hold.");
    VITRINE_TRY(run::parse_policy(attention));
    return check_edits(edits);
}

Status RunOptions::fill(const engine::OpenModel& open, run::RunSpec& spec) const {
    spec.captures = captures;
    if (coordinates == "folded") spec.coordinates = model::Coordinates::folded;
    for (const std::string& capture : captures)
        VITRINE_TRY(model::match_hooks(open.model.spec, capture));
    VITRINE_ASSIGN(spec.edits, read_edits(open, prompts, edits));
    VITRINE_ASSIGN(spec.attention, run::parse_policy(attention));
    return {};
}

Status check_edits(const std::vector<std::string>& texts) {
    for (const std::string& text : texts)
        VITRINE_TRY(run::parse_edit(text));
    return {};
}

Result<std::vector<run::EditSpec>> read_edits(const engine::OpenModel& open, const PromptOptions& prompts,
                                              const std::vector<std::string>& texts) {
    std::vector<run::EditSpec> edits;
    for (const std::string& text : texts) {
        VITRINE_ASSIGN(run::EditSpec edit, run::parse_edit(text));
        VITRINE_TRY(model::match_hooks(open.model.spec, edit.hook));
        edits.push_back(std::move(edit));
    }
    VITRINE_TRY(engine::read_edit_sources(open, prompts.specials(), edits));
    return edits;
}

} // namespace vitrine::cli
