#pragma once
// One plan over some rows of a spec, from resolving to results by row: what run() and generate() share.
#include "core/run/resolve.h"
#include "core/run/runner.h"

namespace vitrine::run {

/// What a run asks of each row, with globs and edits matched once.
struct Request {
    std::set<std::string> captures;
    std::vector<MatchedEdit> edits;
    int top = 0;
    bool loss = false;   ///< −log p of every token that follows one in the same plan
    bool logits = false; ///< of the positions asked for
};

/// Matches captures and edits of a spec against the model's hooks and checks the rows.
Result<Request> match_request(const model::Model& model, const RunSpec& spec, bool generating);

/// Positions at which a row's statistics are wanted, in the order asked for; out_of_range if outside.
Result<std::vector<int>> chosen_positions(const RunSpec& spec, int length, int row);

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

Result<BuiltPlan> plan_batch(const model::Model& model, const Request& request, const BatchJob& job);

/// Sorts outputs by row; positions in the results count from the row's start, the cached part included.
std::vector<RowResult> rows_of(const BuiltPlan& built, const Request& request, const BatchJob& job,
                               backend::Outputs outputs);

} // namespace vitrine::run
