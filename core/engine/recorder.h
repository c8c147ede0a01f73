#pragma once
// Writes what the engine does into a session: a step before it starts, its numbers when it is done.
#include <chrono>
#include <functional>

#include "core/engine/engine.h"
#include "core/store/activation_writer.h"

namespace vitrine::engine {

/// Attributes of a file with values of this model.
store::FileHeader header_for(const OpenModel& model, const Json& spec);

/// What a run computed: per row its tokens, −log p, entropy and logsumexp by position, and the captures.
Status write_run(store::ActivationWriter& writer, const run::RunSpec& spec, const run::RunResult& result);
Status write_generation(store::ActivationWriter& writer, const run::GenerateSpec& spec,
                        const run::GenerateResult& result);
Status write_results(store::ActivationWriter& writer, const std::vector<ResultValue>& results);

/// One step of a session, or nothing where no session is open. Ends as failed (or cancelled) unless finish()
/// was called.
class StepRecorder {
public:
    /// The step is in the journal as `running` when this returns.
    static Result<StepRecorder> begin(session::Session* session, const OpenModel& model,
                                      const std::string& kind, const Json& spec);

    /// Writes the numbers and commits `done`. Returns the step's number, 0 without a session.
    Result<std::int64_t> finish(const std::function<Status(store::ActivationWriter&)>& write);

    /// Records why the step ended; returns the error for the caller to pass on.
    tl::unexpected<Error> fail_with(Error error);

private:
    StepRecorder() = default;
    double elapsed_ms() const;

    session::Session* session_ = nullptr;
    std::int64_t seq_ = 0;
    store::FileHeader header_;
    std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
};

} // namespace vitrine::engine
