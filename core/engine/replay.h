#pragma once
// Doing a session's steps again and comparing what they give with what was stored.
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/backend/backend.h"
#include "core/base/cancel.h"
#include "core/session/session.h"
#include "core/store/compare.h"

namespace vitrine::engine {

struct ReplayOptions {
    std::int64_t from = 1;                       ///< first step
    std::optional<std::string> device;           ///< instead of each step's own, as open_backend takes it
    std::optional<backend::Precision> precision; ///< instead of each step's own
    int threads = 0;
};

/// A step that was done again.
struct ReplayedStep {
    std::int64_t seq = 0;
    std::string device, precision; ///< of the replay
    double ms = 0;
    std::vector<store::Drift> drift;
};

/// Runs every `done` step of a session from `options.from` on, in order, in a scratch session that is removed
/// again; the session itself is only read.
class Replay {
public:
    explicit Replay(ReplayOptions options = {});
    ~Replay();
    Replay(Replay&&) noexcept;
    Replay& operator=(Replay&&) noexcept;

    /// All steps done again so far and now. After `cancelled` the next call goes on with the step that was
    /// stopped; steps that were added since the first call are left out. Errors: those of the runs; not_found
    /// or session, naming the step, if its model is not where it was or has other weights now; session if
    /// another session is given than before; cancelled.
    Result<std::vector<ReplayedStep>> go_on(const session::Session& session, const CancelToken& cancel,
                                            const Progress& progress);

private:
    struct State;
    std::unique_ptr<State> state_;
};

/// The same in one call.
Result<std::vector<ReplayedStep>> replay(const session::Session& session, const ReplayOptions& options,
                                         const CancelToken& cancel, const Progress& progress);

} // namespace vitrine::engine
