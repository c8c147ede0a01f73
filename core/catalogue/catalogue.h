#pragma once
// Models that other programs keep on this machine, by name. Nothing is fetched, nothing is written.
#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "core/base/result.h"

namespace vitrine::catalogue {

/// Where stores may lie; none of these folders needs to exist.
struct Places {
    std::filesystem::path hugging_face;           ///< with models--ORG--NAME folders
    std::filesystem::path ollama;                 ///< with manifests and blobs
    std::vector<std::filesystem::path> lm_studio; ///< with ORG/NAME folders
};

/// From the environment: HF_HUB_CACHE, else HF_HOME/hub, else ~/.cache/huggingface/hub; OLLAMA_MODELS, else
/// ~/.ollama/models; ~/.lmstudio/models and ~/.cache/lm-studio/models.
Places places();

/// A model of a store.
struct Entry {
    std::string name;           ///< what opens it: "ORG/NAME", "ollama:NAME:TAG", …
    std::string store;          ///< "Hugging Face", "Ollama", "LM Studio"
    std::filesystem::path path; ///< its folder or file
    std::string format;         ///< "safetensors", "pytorch", "gguf"; empty if it cannot be read
    std::string family;         ///< model_type of its config, or its architecture in GGUF terms
    std::int64_t parameters = 0;
    std::uint64_t bytes = 0; ///< of its weights, which stay resident in the file's form
    std::string problem;     ///< why it cannot be opened, one sentence; empty if nothing speaks against it
};

/// A store's folder, and why nothing of it could be read, if so.
struct Store {
    std::string name;
    std::filesystem::path path;
    std::string problem;
};

struct Listing {
    std::vector<Entry> models; ///< by store, then name; broken ones with their problem
    std::vector<Store> stores; ///< those that exist
};

/// Everything in the stores. A name that two stores have belongs to the first of Hugging Face and LM Studio;
/// the other one is listed, and found, as "lmstudio:ORG/NAME".
Listing list(const Places& places);

/// Fills in what the files of entry.path say: format, family, parameters, bytes.
Status describe(Entry& entry);

/// Where the model of that name lies: "ORG/NAME" (of the snapshot that main refers to, or the only one;
/// "ORG/NAME@REVISION" for another), "ORG/NAME/FILE.gguf", "ollama:NAME[:TAG]" (latest), "lmstudio:ORG/NAME".
/// Errors: not_found; io with the entry's problem for a broken one.
Result<std::filesystem::path> find(const Places& places, const std::string& name);

/// Whether this could be the name of a model in a store rather than a path.
bool is_store_name(const std::string& name);

/// Bytes of memory that programs can still have; 0 where the system does not say.
std::uint64_t available_memory();

} // namespace vitrine::catalogue
