#include <algorithm>
#include <system_error>

#include <fmt/format.h>

#include "core/catalogue/stores.h"

namespace vitrine::catalogue {

namespace {

namespace fs = std::filesystem;

/// Parts of a split model after its first: "NAME-00002-of-00003.gguf".
bool is_later_part(const std::string& name) {
    const std::size_t of = name.rfind("-of-");
    if (of == std::string::npos || of < 6 || !name.ends_with(".gguf")) return false;
    const std::string number = name.substr(of - 5, 5);
    const bool digits =
        std::all_of(number.begin(), number.end(), [](char c) { return c >= '0' && c <= '9'; });
    return name[of - 6] == '-' && digits && number != "00001";
}

bool is_weights(const std::string& name) {
    return name.ends_with(".safetensors") || name.ends_with(".safetensors.index.json") ||
           (name.starts_with("pytorch_model") && (name.ends_with(".bin") || name.ends_with(".index.json")));
}

} // namespace

std::vector<fs::path> entries_of(const fs::path& folder, std::string& problem) {
    std::vector<fs::path> found;
    std::error_code error;
    for (fs::directory_iterator entry(folder, error), end; !error && entry != end; entry.increment(error))
        found.push_back(entry->path());
    if (error) problem = fmt::format("{} cannot be read: {}.", folder.string(), error.message());
    std::sort(found.begin(), found.end());
    return found;
}

std::vector<Entry> models_in(const fs::path& folder, const std::string& name) {
    Entry entry;
    entry.name = name;
    entry.path = folder;
    bool config = false;
    bool weights = false;
    std::vector<fs::path> gguf;
    std::string dangling;
    for (const fs::path& path : entries_of(folder, entry.problem)) {
        const std::string file = path.filename().string();
        const bool is_gguf = file.ends_with(".gguf") && !file.starts_with("mmproj") && !is_later_part(file);
        if (!is_gguf && !is_weights(file) && file != "config.json") continue;
        config = config || file == "config.json";
        weights = weights || is_weights(file);
        if (is_gguf) gguf.push_back(path);
        std::error_code ignored;
        if (!fs::is_regular_file(path, ignored) && dangling.empty()) dangling = path.string();
    }
    if (!entry.problem.empty()) return {entry};
    if (config && weights) {
        if (!dangling.empty())
            entry.problem = fmt::format("{} leads to no file; fetch the model again with the program that "
                                        "keeps it.",
                                        dangling);
        return {entry};
    }
    std::vector<Entry> models;
    for (const fs::path& path : gguf) {
        Entry one;
        one.name = gguf.size() == 1 ? name : fmt::format("{}/{}", name, path.filename().string());
        one.path = path;
        std::error_code ignored;
        if (!fs::is_regular_file(path, ignored))
            one.problem = fmt::format("{} leads to no file; fetch the model again with the program that "
                                      "keeps it.",
                                      path.string());
        models.push_back(std::move(one));
    }
    if (models.empty() && config) {
        entry.problem = fmt::format("{} has a config.json but no weights.", folder.string());
        models.push_back(std::move(entry));
    }
    return models;
}

} // namespace vitrine::catalogue
