#include "core/catalogue/catalogue.h"

#include <algorithm>
#include <charconv>
#include <cstdlib>
#include <fstream>
#include <set>
#include <system_error>

#include <fmt/format.h>

#include "core/base/json.h"
#include "core/catalogue/stores.h"
#include "core/formats/gguf.h"
#include "core/formats/hf_config.h"
#include "core/formats/tensor_files.h"

namespace vitrine::catalogue {

namespace {

namespace fs = std::filesystem;

fs::path environment(const char* name) {
    const char* value = std::getenv(name);
    return value != nullptr ? fs::path(value) : fs::path();
}

constexpr const char* hugging_face = "Hugging Face";
constexpr const char* ollama = "Ollama";
constexpr const char* lm_studio = "LM Studio";
constexpr std::string_view ollama_prefix = "ollama:";
constexpr std::string_view lm_studio_prefix = "lmstudio:";

/// Adds a store that exists, and gives what it holds.
std::vector<Entry> read_store(Listing& listing, const char* name, const fs::path& path,
                              Found (*read)(const fs::path&)) {
    std::error_code error;
    if (path.empty() || !fs::exists(path, error)) {
        if (error && error != std::errc::no_such_file_or_directory && error != std::errc::not_a_directory)
            listing.stores.push_back(
                {name, path, fmt::format("{} cannot be read: {}.", path.string(), error.message())});
        return {};
    }
    Found found = read(path);
    listing.stores.push_back({name, path, std::move(found.problem)});
    for (Entry& entry : found.entries)
        entry.store = name;
    return std::move(found.entries);
}

/// Names and paths of everything.
Listing look(const Places& places) {
    Listing listing;
    listing.models = read_store(listing, hugging_face, places.hugging_face, read_hugging_face);
    for (Entry& entry : read_store(listing, ollama, places.ollama, read_ollama))
        listing.models.push_back(std::move(entry));
    std::set<std::string> taken;
    for (const Entry& entry : listing.models)
        taken.insert(entry.name);
    for (const fs::path& folder : places.lm_studio)
        for (Entry& entry : read_store(listing, lm_studio, folder, read_lm_studio)) {
            if (taken.contains(entry.name)) entry.name.insert(0, lm_studio_prefix);
            if (taken.insert(entry.name).second) listing.models.push_back(std::move(entry));
        }
    return listing;
}

/// "ollama:NAME" means its tag "latest".
std::string with_tag(const std::string& name) {
    if (!name.starts_with(ollama_prefix)) return name;
    const std::size_t colon = name.rfind(':');
    const std::size_t slash = name.rfind('/');
    const bool tagged = colon >= ollama_prefix.size() && (slash == std::string::npos || colon > slash);
    return tagged ? name : name + ":latest";
}

/// "ORG/NAME@REVISION" may give more or fewer letters of the revision than are shown.
bool fits(const Entry& entry, const std::string& name) {
    if (entry.name == name) return true;
    if (entry.store == lm_studio && name.starts_with(lm_studio_prefix))
        return entry.name == name.substr(lm_studio_prefix.size());
    const std::size_t at = name.rfind('@');
    if (entry.store != hugging_face || at == std::string::npos) return false;
    const std::string plain = name.substr(0, at);
    const std::string revision = name.substr(at + 1);
    return revision.size() >= 7 && entry.path.filename().string().starts_with(revision) &&
           (entry.name == plain || entry.name.starts_with(plain + "@"));
}

} // namespace

Places places() {
    const fs::path home = environment("HOME");
    Places found;
    found.hugging_face = environment("HF_HUB_CACHE");
    if (found.hugging_face.empty() && !environment("HF_HOME").empty())
        found.hugging_face = environment("HF_HOME") / "hub";
    found.ollama = environment("OLLAMA_MODELS");
    if (home.empty()) return found;
    const fs::path cache =
        environment("XDG_CACHE_HOME").empty() ? home / ".cache" : environment("XDG_CACHE_HOME");
    if (found.hugging_face.empty()) found.hugging_face = cache / "huggingface" / "hub";
    if (found.ollama.empty()) found.ollama = home / ".ollama" / "models";
    found.lm_studio = {home / ".lmstudio" / "models", home / ".cache" / "lm-studio" / "models"};
    return found;
}

Status describe(Entry& entry) {
    VITRINE_ASSIGN(const auto files, formats::TensorFiles::open(entry.path));
    entry.format = files.format();
    for (const auto& tensor : files.tensors()) {
        entry.bytes += tensor.view.bytes();
        if (tensor.view.dtype != DType::boolean) entry.parameters += tensor.view.size();
    }
    if (entry.format == "gguf") {
        std::error_code ignored;
        fs::path file = entry.path;
        if (fs::is_directory(file, ignored)) {
            VITRINE_ASSIGN(file, formats::find_gguf(file));
        }
        VITRINE_ASSIGN(const auto gguf, formats::open_gguf(file));
        entry.family = gguf.metadata.text("general.architecture").value_or("");
        return {};
    }
    VITRINE_ASSIGN(const auto folder, formats::open_hf_folder(entry.path));
    VITRINE_ASSIGN(entry.family, member_or<std::string>(folder.config, "model_type", "",
                                                        (entry.path / "config.json").string()));
    return {};
}

Listing list(const Places& places) {
    Listing listing = look(places);
    for (Entry& entry : listing.models) {
        if (!entry.problem.empty()) continue;
        if (const auto described = describe(entry); !described) entry.problem = described.error().message;
    }
    return listing;
}

bool is_store_name(const std::string& name) {
    if (name.starts_with(ollama_prefix) || name.starts_with(lm_studio_prefix)) return true;
    const std::size_t slash = name.find('/');
    return slash != std::string::npos && slash > 0 && slash + 1 < name.size() && name.front() != '.' &&
           name.front() != '~';
}

Result<fs::path> find(const Places& places, const std::string& name) {
    const std::string wanted = with_tag(name);
    for (const Entry& entry : look(places).models) {
        if (!fits(entry, wanted)) continue;
        if (!entry.problem.empty()) return fail(Code::io, entry.problem);
        return entry.path;
    }
    // Several files under one name: they are listed with their own.
    std::string files;
    for (const Entry& entry : look(places).models)
        if (entry.name.starts_with(name + "/") || entry.name.starts_with(name + "@"))
            files += (files.empty() ? "" : ", ") + entry.name;
    if (!files.empty())
        return fail(Code::not_found,
                    fmt::format("{} is kept in several forms; name one of {}.", name, files));
    return fail(Code::not_found,
                fmt::format("There is no file or folder {}, and no model of that name in the local stores "
                            "(vitrine-cli models lists them).",
                            name));
}

std::uint64_t available_memory() {
    std::ifstream info("/proc/meminfo");
    for (std::string line; std::getline(info, line);) {
        constexpr std::string_view key = "MemAvailable:";
        if (!line.starts_with(key)) continue;
        const std::size_t digit = line.find_first_of("0123456789");
        std::uint64_t kibibytes = 0;
        if (digit != std::string::npos)
            std::from_chars(line.data() + digit, line.data() + line.size(), kibibytes);
        return kibibytes * 1024;
    }
    return 0;
}

} // namespace vitrine::catalogue
