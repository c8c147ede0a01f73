#pragma once
// Generation with a cache of keys and values, one token a step and row, all rows in one batch.
#include <functional>
#include <map>
#include <optional>

#include "core/run/run_spec.h"

namespace vitrine::run {

struct GenerateSpec {
    RunSpec prompt; ///< rows, captures (of every step) and edits; its positions are not used
    int max_new = 32;
    double temperature = 0; ///< 0: greedy
    int top_k = 0;          ///< 0: no limit
    double top_p = 1;
    std::uint64_t seed = 0;
    std::vector<std::int32_t> stop_ids; ///< end-of-sequence tokens
    /// Tokens that are taken at some steps (from 0) in place of what would be drawn, in every row: a branch
    /// of another generation, or a text whose lanes are wanted.
    std::map<int, std::int32_t> forced;
    int alternatives = 0; ///< most likely tokens told of each step
};

/// A token that could have stood at a step.
struct Alternative {
    std::int32_t id = 0;
    double prob = 0;
};

/// One new token of one row, with the distribution that it was drawn from (before temperature).
struct GenerateStep {
    int row = 0;
    int pos = 0; ///< position of the new token in its row
    std::int32_t id = 0;
    double prob = 0;
    double entropy = 0;             ///< nats
    double varentropy = 0;          ///< nats²
    double top1 = 0;                ///< largest probability
    double margin = 0;              ///< largest minus second largest probability
    std::vector<Alternative> top;   ///< most likely first
    std::vector<Captured> captures; ///< of the query that the token was drawn at
};

struct GeneratedRow {
    std::vector<std::int32_t> new_ids;
    std::vector<GenerateStep> steps;
    std::string stop; ///< "length" or "eos"
};

struct GenerateResult {
    std::vector<GeneratedRow> rows;
    double run_ms = 0;
};

/// What generate() would refuse, of the spec and of the prompts as they stand. Computes nothing.
Status check(const model::Model& model, const GenerateSpec& spec);

/// The rows go on together, as many as fit the device at once; which ones go together changes no bits of a
/// row as long as it is not alone (decoding of a single row may take other routines). `on_step` is called
/// from the working thread after each token, row by row within a step, and may be empty.
Result<GenerateResult> generate(backend::LoadedModel& loaded, const model::Model& model,
                                const GenerateSpec& spec,
                                const std::function<void(const GenerateStep&)>& on_step,
                                const CancelToken& cancel, const Progress& progress);

Json to_json(const GenerateSpec& spec);

} // namespace vitrine::run
