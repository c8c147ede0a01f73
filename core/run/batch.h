#pragma once
// One plan over some rows of a spec, from resolving to results by row: what run() and generate() share.
#include "core/run/generate.h"
#include "core/run/resolve.h"
#include "core/run/runner.h"

namespace vitrine::run {

/// What a run asks of each row, with globs and edits matched once.
struct Request {
    std::set<std::string> captures;
    std::vector<MatchedEdit> edits;
    AttentionPolicy attention;
    int top = 0;
    std::vector<std::int32_t> watch;
    bool loss = false;   ///< −log p of every token that follows one in the same plan
    bool logits = false; ///< of the positions asked for
};

/// Matches captures and edits of a spec against the model's hooks and checks the rows.
Result<Request> match_request(const model::Model& model, const RunSpec& spec, bool generating);

/// usage or out_of_range for numbers that no generation can have.
Status check_sampling(const model::Model& model, const GenerateSpec& spec);

/// What generate() runs of each prompt: the logits and nothing else.
RunSpec prompt_of(const GenerateSpec& spec);

/// Positions at which a row's statistics are wanted, in the order asked for; out_of_range if outside.
Result<std::vector<int>> chosen_positions(const RunSpec& spec, int length, int row);

/// Checks what `mean` and `from row=` read, and puts shapes without numbers in the place of their tensors, so
/// that a plan can be tried before anything ran.
Status stand_in_references(const model::Model& model, const std::vector<RunRow>& rows, Request& request);

/// Replaces `mean` and `from row=` by tensors, from an unedited run.
Status fill_references(backend::LoadedModel& loaded, const model::Model& model,
                       const std::vector<RunRow>& rows, Request& request, const CancelToken& cancel);

/// A batch of rows that is executed as one plan.
struct BatchJob {
    std::vector<RunRow> rows;
    int first_row = 0;
    int spec_rows = 0;
    std::vector<int> past;
    std::vector<int> prompt_length;
    std::vector<std::vector<int>> positions; ///< per row, relative to this plan's tokens
    bool cached = false;
};

/// Rows [first, first + count) of a spec; `positions` are those of all its rows.
BatchJob job_of(const RunSpec& spec, const std::vector<std::vector<int>>& positions, std::size_t first,
                std::size_t count);

Result<BuiltPlan> plan_batch(const model::Model& model, const Request& request, const BatchJob& job);

/// The shared plan (share.h) of all rows of a spec, without the numbers that edits read of other runs: not
/// for execution.
Result<BuiltPlan> plan_run(const model::Model& model, const RunSpec& spec);

/// Arena and captures of a plan.
std::uint64_t bytes_of(const BuiltPlan& built);

/// Whether a plan's values and captures stay within what a device wants at once.
bool fits(const BuiltPlan& built, const backend::Limits& limits);

/// Sorts outputs by row; positions in the results count from the row's start, the cached part included.
std::vector<RowResult> rows_of(const BuiltPlan& built, const Request& request, const BatchJob& job,
                               backend::Outputs outputs);

} // namespace vitrine::run
