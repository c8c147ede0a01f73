#pragma once
// Messages of the C interface (core/sdk/abi.h) to and from the engine's types.
#include <deque>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "core/base/json.h"
#include "core/base/tensor.h"
#include "core/engine/results.h"
#include "core/model/model.h"
#include "core/run/generate.h"
#include "core/run/run_spec.h"
#include "core/sdk/abi.h"

namespace vitrine::engine {

/// A message to an analysis: text and named arrays that point into what somebody else keeps.
class OutgoingMessage {
public:
    Json json;

    /// `tensor` must outlive the message; its shape is pointed to as well.
    void add(std::string name, const Tensor& tensor);
    /// `data` must outlive the message; the shape is kept here.
    void add(std::string name, const float* data, Shape shape);
    /// Valid until the message changes.
    vitrine_message message();

private:
    std::string text_;
    std::deque<std::string> names_;
    std::deque<Shape> shapes_;
    std::vector<vitrine_array> arrays_;
};

/// What an analysis asked for.
struct AnalysisNeed {
    std::vector<run::RunSpec> runs;
    std::vector<run::GenerateSpec> generations; ///< stop_ids are those given to parse_need where it may stop
    std::vector<std::string> weights;
    bool transient = false; ///< the weights are read in one step only
    std::string checkpoint; ///< on which runs and generations are made; empty: on the model itself
};

/// {"layers", …, "special_ids"} of "start".
Json model_facts(const model::ModelSpec& spec, std::optional<std::int32_t> bos,
                 const std::vector<std::int32_t>& special_ids);

/// Reads "need" of a message, copying the arrays that its edits read into them.
/// Errors: internal (not as abi.h says, nothing is asked for, an array that its edits name is missing or not
/// float32), unsupported (reserved kinds, edits that read prompts), usage (an edit that does not parse).
Result<AnalysisNeed> parse_need(const Json& need, const vitrine_message& message,
                                const std::vector<std::int32_t>& stop_ids);

/// Adds one run's answer: text under "runs", arrays named run{index}/….
void add_answer(OutgoingMessage& message, std::size_t index, const run::RunResult& result);
void add_answer(OutgoingMessage& message, std::size_t index, const run::GenerateResult& result);

/// Reads "done", copying its arrays. `token_text` fills tables in; it may be empty.
/// Errors: internal (not as abi.h says, or a result that the manifest does not list).
Result<std::vector<ResultValue>> parse_done(const Json& done, const vitrine_message& message,
                                            const Json& manifest,
                                            const std::function<std::string(std::int32_t)>& token_text);

} // namespace vitrine::engine
