#pragma once
// The three stores, each read by the rules of the program that writes it.
#include "core/catalogue/catalogue.h"

namespace vitrine::catalogue {

/// Names, paths and problems only; nothing of the models themselves is read.
struct Found {
    std::vector<Entry> entries;
    std::string problem; ///< of the store as a whole
};

Found read_hugging_face(const std::filesystem::path& hub);
Found read_ollama(const std::filesystem::path& models);
Found read_lm_studio(const std::filesystem::path& models);

/// Entries of a folder, sorted by name; a sentence in `problem` if it cannot be read.
std::vector<std::filesystem::path> entries_of(const std::filesystem::path& folder, std::string& problem);

/// The models that a folder with such files holds: one if there is a config.json or one .gguf file (or the
/// parts of one), else one for each .gguf file as NAME/FILE.gguf. Empty if there is none.
std::vector<Entry> models_in(const std::filesystem::path& folder, const std::string& name);

} // namespace vitrine::catalogue
