#pragma once
// The documents of `session`.
#include <vector>

#include "core/base/json.h"
#include "core/engine/replay.h"
#include "core/session/session.h"

namespace vitrine::cli {

/// The member "session": {"folder", "steps"}.
Json session_document(const session::Session& session, std::size_t steps);

/// {"seq", "kind", "status", "spec_hash", "started", "ms", "device", "precision", "error"}
Json step_document(const session::Step& step);

/// The same with "spec", "app_version", "device_detail", "model", "inputs" and "artifacts".
Json step_detail_document(const session::StepDetail& detail);

/// {"step", "artifact", "verdict", "nmse", "max_abs"} of every artifact.
Json drift_document(const std::vector<engine::ReplayedStep>& steps);

std::string describe_session(const Json& document);
std::string describe_steps(const Json& document);

} // namespace vitrine::cli
