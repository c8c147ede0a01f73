#pragma once
// A session is a folder: a journal of steps in SQLite and what they captured in HDF5.
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/json.h"
#include "core/base/result.h"
#include "core/session/step.h"

namespace vitrine::session {

enum class Mode {
    read_write, ///< one program at a time
    read_only,  ///< any number, also beside a writer and in a folder that cannot be written
};

/// An open session. Not thread-safe: one thread at a time. Errors of its functions have code `session`, `io`
/// (disk full), `malformed` (not a session, damaged) or `not_found`.
///
/// A step is in the journal as `running` before it starts, so that a crash leaves evidence:
///
///     seq = begin_step(…);
///     writer = ActivationWriter::create(activation_file(seq), …); … artifacts = writer.finish();
///     finish_step(seq, ms, artifacts);      // or fail_step(seq, error), cancel_step(seq)
class Session {
public:
    /// Makes the folder; a failure leaves none. The folder may exist if it is empty.
    static Result<Session> create(const std::filesystem::path& folder);

    /// With write access: refuses a second writer, turns steps that a dead writer left `running` into
    /// `interrupted` and removes what it left half-written. Both refuse a session of a newer version.
    static Result<Session> open(const std::filesystem::path& folder, Mode mode);

    /// Opens for writing what is there, else makes it.
    static Result<Session> open_or_create(const std::filesystem::path& folder);

    Session(Session&&) noexcept;
    Session& operator=(Session&&) noexcept;
    ~Session();

    const std::filesystem::path& folder() const;
    Mode mode() const;

    /// Steps that became `interrupted` as the session was opened: to be resumed or left.
    const std::vector<std::int64_t>& interrupted() const;

    /// Writes the step as `running` and returns its number.
    Result<std::int64_t> begin_step(const NewStep& step);

    /// The artifacts' files are on the disk (ActivationWriter::finish) and inside the session's folder.
    Status finish_step(std::int64_t seq, double ms, const std::vector<Artifact>& artifacts);

    /// Records the error and removes the step's activation file, if any.
    Status fail_step(std::int64_t seq, const Error& error, double ms);
    Status cancel_step(std::int64_t seq, double ms);

    /// Where a step's captures go: FOLDER/activations/step-000012.h5.
    std::filesystem::path activation_file(std::int64_t seq) const;

    /// All steps in order.
    Result<std::vector<Step>> steps() const;
    /// One step with what it read and made (files relative to folder()); not_found.
    Result<StepDetail> step(std::int64_t seq) const;

    /// What the window remembers under a name of its own: its page, prompt, selection. None if never set.
    Result<std::optional<Json>> view_state(std::string_view key) const;
    Status set_view_state(std::string_view key, const Json& value);

    /// The history that undo walks, newest last.
    Status add_selection(const Json& selection);
    Result<std::vector<Json>> selections(int newest) const;

    /// Artifacts of steps that are `done` whose bytes no longer match their hash, or that are missing.
    Result<std::vector<Artifact>> damaged() const;

private:
    struct State;
    explicit Session(std::unique_ptr<State> state);
    Status end_without_result(std::int64_t seq, StepStatus status, double ms, const Error* error);
    std::unique_ptr<State> state_;
};

} // namespace vitrine::session
