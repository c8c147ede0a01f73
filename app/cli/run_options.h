#pragma once
// What `run` and `generate` have in common: captures, edits, where captures go.
#include <string>
#include <vector>

#include <CLI/CLI.hpp>

#include "app/cli/prompt_options.h"
#include "core/engine/engine.h"

namespace vitrine::cli {

class Program;

/// Reads texts of --edit for a model: what cannot be read, unknown hooks and missing files are refused here.
Result<std::vector<run::EditSpec>> read_edits(const engine::OpenModel& open, const PromptOptions& prompts,
                                              const std::vector<std::string>& texts);
/// Whatever of them can be refused before the model is opened.
Status check_edits(const std::vector<std::string>& texts);
/// What the help says of --edit and --attention.
constexpr const char* attention_help =
    "Keys that queries see: \"window=W [sinks=S] [reindexed] [heads=L0H1,L2H3]\"";
constexpr const char* edit_help = "\"HOOK [row=] [pos=] [head=] [channel=] [key=] OP [VALUE]\"; repeatable";

struct RunOptions {
    std::string model;
    PromptOptions prompts;
    std::vector<std::string> captures;
    std::vector<std::string> edits;
    std::string attention;
    bool compare_clean = false;
    std::string out;
    std::string store_dtype = "float32";
    std::string coordinates = "raw";

    void add(CLI::App& command, Program& program);
    DType stored() const { return store_dtype == "float16" ? DType::f16 : DType::f32; }

    /// Whatever can be refused before the model is opened.
    Status check() const;
    /// Reads --capture and --edit into a spec: unknown hooks, edits that cannot be read and missing files are
    /// refused here.
    Status fill(const engine::OpenModel& model, run::RunSpec& spec) const;
};

} // namespace vitrine::cli
