#pragma once
// Drives an analysis: gives it what it needs, step by step, until it is done. Speaks the C interface only, so
// that an analysis may be a plugin or, later, another process.
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "core/base/cancel.h"
#include "core/base/tensor.h"
#include "core/catalogue/checkpoints.h"
#include "core/engine/analysis_registry.h"
#include "core/engine/results.h"
#include "core/model/coordinates.h"
#include "core/model/model.h"
#include "core/run/generate.h"
#include "core/run/run_spec.h"

namespace vitrine::engine {

/// What an analysis works on, and who does the work.
struct AnalysisServices {
    const model::Model* model = nullptr;
    std::optional<std::int32_t> bos;       ///< the token that starts a text, if the tokenizer has one
    std::vector<std::int32_t> special_ids; ///< that no made-up text should contain
    std::vector<std::int32_t> stop_ids;    ///< of generation
    /// What runs answer in, and what weights are handed out in.
    model::Coordinates coordinates = model::Coordinates::raw;
    std::function<Result<run::RunResult>(const run::RunSpec&)> run;
    std::function<Result<run::GenerateResult>(const run::GenerateSpec&)> generate;
    std::function<std::string(std::int32_t)> token_text; ///< may be empty
    /// What a tokenizer makes of several ids; may be empty.
    std::function<std::string(const std::vector<std::int32_t>&)> text;
    /// What the engine read from files for this analysis, under the names that it may ask weights by.
    std::map<std::string, Tensor> from_files;
    std::vector<catalogue::Checkpoint> checkpoints; ///< by step, for an analysis that asks for them
    /// run and generate work on that checkpoint from now on (empty: on the model itself). Gives the hash of
    /// its weights; may be empty where there are no checkpoints.
    std::function<Result<std::string>(const std::string& name)> at_checkpoint;
};

/// Runs an analysis to its end. `parameters` are checked ones (check_parameters). Rows may be empty only
/// where the manifest says "prompts":"optional".
/// Errors: usage (no rows), cancelled, what a run or the analysis itself reports, and internal, naming the
/// analysis, where it breaks the interface.
Result<std::vector<ResultValue>> run_analysis(const RegisteredAnalysis& analysis, const Json& parameters,
                                              const std::vector<run::RunRow>& rows,
                                              const AnalysisServices& services, const CancelToken& cancel,
                                              const Progress& progress);

} // namespace vitrine::engine
