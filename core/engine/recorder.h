#pragma once
// Writes what the engine does into a session: a step before it starts, its numbers when it is done.
#include <chrono>
#include <functional>

#include "core/engine/engine.h"
#include "core/store/activation_writer.h"

namespace vitrine::engine {

/// Attributes of a file with values of this model.
store::FileHeader header_for(const OpenModel& model, const Json& spec, model::Coordinates coordinates);

/// What a run computed: per row its tokens, −log p, entropy and logsumexp by position, and the captures.
Status write_run(store::ActivationWriter& writer, const run::RunSpec& spec, const run::RunResult& result);
Status write_generation(store::ActivationWriter& writer, const run::GenerateSpec& spec,
                        const run::GenerateResult& result);
Status write_results(store::ActivationWriter& writer, const std::vector<ResultValue>& results);

/// A step that a session holds as `running`; the default is none.
struct BegunStep {
    session::Session* session = nullptr;
    std::int64_t seq = 0;
};
/// Writes a step as `running`, or gives the default where nothing is recorded.
using BeginStep = std::function<Result<BegunStep>(const session::NewStep&)>;

/// One step of a session. Nothing is written before begin(), so what is refused before leaves no trace; then
/// it ends as failed (or cancelled) unless finish() was called.
class StepRecorder {
public:
    StepRecorder(BeginStep begin_step, const OpenModel& model, const std::string& kind, const Json& spec,
                 model::Coordinates coordinates);

    /// Something that the step reads; before begin().
    void reads(session::StepInput input) { step_.inputs.push_back(std::move(input)); }
    /// The work took so long before it was decided to record it.
    void took(double ms) { before_ms_ = ms; }

    /// Called at the first real work; further calls do nothing. The step is in the journal when this returns.
    Status begin();

    /// Writes the numbers and commits `done`. Returns the step's number, 0 without a session.
    Result<std::int64_t> finish(const std::function<Status(store::ActivationWriter&)>& write);

    /// Records why a step that has begun ended; returns the error for the caller to pass on.
    tl::unexpected<Error> fail_with(Error error);

private:
    double elapsed_ms() const;

    double before_ms_ = 0;
    BeginStep begin_step_; ///< empty once the step has begun
    session::NewStep step_;
    BegunStep begun_;
    store::FileHeader header_;
    std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
};

} // namespace vitrine::engine
