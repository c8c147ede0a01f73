#pragma once
// What the journal records of one action.
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/json.h"
#include "core/store/artifact.h"

namespace vitrine::session {

using store::Artifact;

enum class StepStatus {
    running,     ///< begun by the program that has the session open for writing
    done,        ///< complete: its files are on the disk
    failed,      ///< ended with an error after it had begun
    cancelled,   ///< stopped by the user
    interrupted, ///< the program ended while it ran
};

/// "running", "done", …
std::string_view status_name(StepStatus status);

/// The weights a step used. Two with the same hash and path are one row of the journal.
struct Model {
    std::string weights_hash;
    std::string tokenizer_hash;
    std::string config; ///< JSON
    std::string path;   ///< where they lay when the step ran
};

struct Device {
    std::string name;   ///< "cpu", "llvmpipe (LLVM 15.0.6, 256 bits)"
    std::string detail; ///< what else decides on bits: driver, product routine, number of threads
};

/// Something a step read: an earlier step's data set, or a file from outside.
struct StepInput {
    std::string role;                 ///< "clean", "dictionary", …
    std::optional<std::int64_t> step; ///< which step made it, none for a file
    std::string dataset;              ///< of that step; empty for all it made
    std::string path;                 ///< of a file
    std::string hash;
};

/// A step about to begin.
struct NewStep {
    std::string kind; ///< "run", "generate", "analyze"
    Json spec;        ///< everything needed to do it again
    Device device;
    std::string precision; ///< "exact" or "mixed"
    std::string app_version;
    std::optional<Model> model;
    std::vector<StepInput> inputs;
};

/// A row of the journal.
struct Step {
    std::int64_t seq = 0; ///< 1, 2, …
    std::string kind;
    std::string spec;      ///< canonical JSON
    std::string spec_hash; ///< SHA-256 of `spec`
    StepStatus status = StepStatus::running;
    std::string started;      ///< UTC, "2026-11-23T05:49:25.123Z"
    std::optional<double> ms; ///< how long it took, once it has ended
    std::string error_code;   ///< as code_name(); empty unless failed or interrupted
    std::string error;
    std::string app_version;
    Device device;
    std::string precision;
    std::optional<Model> model;
};

struct StepDetail {
    Step step;
    std::vector<StepInput> inputs;
    std::vector<Artifact> artifacts;
};

} // namespace vitrine::session
