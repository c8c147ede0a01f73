#pragma once
// The documents of `run` and `generate`.
#include <optional>
#include <vector>

#include "app/cli/prompt_options.h"
#include "core/base/json.h"
#include "core/engine/engine.h"

namespace vitrine::cli {

struct Timing {
    double load_ms = 0;
    double tokenize_ms = 0;
    double run_ms = 0;
    double read_ms = 0;
};

/// KL(clean ‖ other) in nats between two rows of logits, in double precision.
double kl_divergence(const float* clean, const float* other, std::size_t vocab);

/// {"device", "precision", "step", "timing", "rows", "clean"}; with `clean`, the run without edits on the
/// same rows, also "clean" and "kl" at each position, for which both must hold their logits.
Json run_document(const engine::OpenModel& model, const std::vector<InputRow>& inputs,
                  const engine::RunRecord& record, const engine::RunRecord* clean, const Timing& timing);
std::string describe_run(const Json& document);

/// {"device", "precision", "step", "timing", "rows", "clean"}. `sources`: the input that each row of the
/// record continues; `samples`: rows made from each.
Json generate_document(const engine::OpenModel& model, const std::vector<InputRow>& inputs,
                       const std::vector<std::size_t>& sources, const engine::GenerateRecord& record,
                       const engine::GenerateRecord* clean, const Timing& timing);
std::string describe_generate(const Json& document);

} // namespace vitrine::cli
