#pragma once
// Folders that hold one model at several points of its training, one folder each: step-00020, step1000,
// checkpoint-500.
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace vitrine::catalogue {

/// A model at one point of its training.
struct Checkpoint {
    std::string name; ///< of its folder
    std::int64_t step = 0;
    std::filesystem::path path;
};

/// The step that a folder's name tells: "step", "checkpoint", "ckpt", "iter" or "global_step", perhaps "-" or
/// "_", then digits and nothing else.
std::optional<std::int64_t> step_of(const std::string& name);

/// Folders of such names with a config.json, by step; of several of one step the first by name.
std::vector<Checkpoint> checkpoints_in(const std::filesystem::path& folder);

/// The checkpoints that belong to a model: those in the folder itself, or if its own name tells a step those
/// beside it.
std::vector<Checkpoint> checkpoints_of(const std::filesystem::path& folder);

} // namespace vitrine::catalogue
