#pragma once
// The runs that `bench` times.
#include "core/model/spec.h"
#include "core/run/run_spec.h"

namespace vitrine::cli {

/// Token ids without meaning, the same each time.
run::RunRow bench_row(const model::ModelSpec& model, int tokens);

/// One row, the next token behind it; `everything` captures patterns and residuals.
run::RunSpec forward_spec(const model::ModelSpec& model, int tokens, bool everything);

/// Every head zeroed by itself, one row each: what `ablate` runs.
run::RunSpec sweep_spec(const model::ModelSpec& model, int tokens);

/// Denoising by layer and position: the residual stream of one prompt put into another that differs from the
/// second token on, one row each behind the two prompts: what `patch` runs.
run::RunSpec patch_spec(const model::ModelSpec& model, int tokens);

} // namespace vitrine::cli
