#pragma once
#include "core/backend/backend.h"
#include "core/base/cancel.h"
#include "core/model/model.h"
#include "core/run/run_spec.h"

namespace vitrine::run {

/// What run() would refuse: unknown hooks, edits that match nothing or have a tensor of the wrong shape,
/// empty or overlong rows, positions outside. Computes nothing.
Status check(const model::Model& model, const RunSpec& spec);

/// Runs a spec: resolves globs, means and `from` (by an unedited run first), splits the batch to the memory
/// budget (which changes no bits), executes, and sorts what comes back by row.
/// Errors: usage (an edit that matches nothing, a wrong shape), not_found (unknown hook), out_of_range (row
/// empty, longer than the context, id outside the vocabulary), and those of the backend.
Result<RunResult> run(backend::LoadedModel& loaded, const model::Model& model, const RunSpec& spec,
                      const CancelToken& cancel, const Progress& progress);

} // namespace vitrine::run
