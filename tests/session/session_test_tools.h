#pragma once
// What the tests of sessions share: a step with captures, and children that end in their own way.
#include <cstdlib>
#include <filesystem>
#include <functional>

#include <sys/wait.h>
#include <unistd.h>

#include "core/session/session.h"
#include "core/store/activation_writer.h"

namespace vitrine::session {

inline NewStep a_run(const std::string& prompt = "The ship") {
    NewStep step;
    step.kind = "run";
    step.spec = Json{{"prompt", prompt}, {"capture", {"*hook_pattern"}}};
    step.device = {"cpu", "eigen, 2 threads"};
    step.precision = "exact";
    step.app_version = "0.1.0";
    step.model = Model{"abc", "def", R"({"layers":8})", "models/tiny"};
    return step;
}

/// Captures `rows` arrays of 10,000 elements of `value` for a step that was begun.
inline Result<std::vector<Artifact>> capture(const Session& session, std::int64_t seq, float value,
                                             int rows = 2) {
    VITRINE_ASSIGN(auto writer, store::ActivationWriter::create(session.activation_file(seq), {}));
    const Tensor values({100, 100}, std::vector<float>(10000, value));
    for (int row = 0; row < rows; ++row)
        VITRINE_TRY(writer.add(row, "hook_embed", {"pos", "d"}, values.view()));
    return writer.finish();
}

/// A whole step, as the engine does it.
inline Result<std::int64_t> record(Session& session, const NewStep& step, int rows = 2) {
    VITRINE_ASSIGN(const std::int64_t seq, session.begin_step(step));
    auto artifacts = capture(session, seq, static_cast<float>(seq), rows);
    if (!artifacts) {
        VITRINE_TRY(session.fail_step(seq, artifacts.error(), 1));
        return tl::unexpected(artifacts.error());
    }
    VITRINE_TRY(session.finish_step(seq, 12.5, *artifacts));
    return seq;
}

/// Runs `body` in a process of its own that ends with its result and cleans nothing up.
inline pid_t in_child(const std::function<int()>& body) {
    const pid_t child = ::fork();
    if (child == 0) ::_exit(body());
    return child;
}

/// Waits for a child; its exit code, or 128 + the signal that killed it.
inline int exit_code(pid_t child) {
    int status = 0;
    ::waitpid(child, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

inline int files_in(const std::filesystem::path& folder) {
    int count = 0;
    for ([[maybe_unused]] const auto& entry : std::filesystem::directory_iterator(folder))
        ++count;
    return count;
}

} // namespace vitrine::session
