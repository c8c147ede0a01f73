#include <algorithm>
#include <map>
#include <system_error>

#include <fmt/format.h>

#include "core/base/json.h"
#include "core/base/mapped_file.h"
#include "core/catalogue/stores.h"

namespace vitrine::catalogue {

namespace {

namespace fs = std::filesystem;

constexpr std::size_t largest_manifest = std::size_t{4} << 20;
constexpr int deepest_manifest = 5; ///< HOST/ORG/NAME/TAG, and one to spare

struct Manifest {
    fs::path path;
    std::vector<std::string> parts; ///< HOST, …, NAME, TAG
};

void find_manifests(const fs::path& folder, const std::vector<std::string>& parts,
                    std::vector<Manifest>& found, std::string& problem) {
    if (static_cast<int>(parts.size()) >= deepest_manifest) return;
    for (const fs::path& path : entries_of(folder, problem)) {
        auto below = parts;
        below.push_back(path.filename().string());
        std::error_code ignored;
        if (fs::is_directory(path, ignored)) {
            std::string unread; // told with this folder's models
            find_manifests(path, below, found, unread);
            if (!unread.empty()) problem = unread;
        } else if (below.size() >= 3) {
            found.push_back({path, std::move(below)});
        }
    }
}

/// NAME:TAG of the store's own library, ORG/NAME:TAG of others; with the host where `whole`.
std::string name_of(const Manifest& manifest, bool whole) {
    std::string name;
    for (std::size_t i = whole ? 0 : 1; i + 1 < manifest.parts.size(); ++i) {
        if (i == 1 && !whole && manifest.parts[i] == "library" && manifest.parts.size() > 3) continue;
        name += (name.empty() ? "" : "/") + manifest.parts[i];
    }
    return fmt::format("ollama:{}:{}", name, manifest.parts.back());
}

/// "sha256:" and 64 hexadecimal digits: a file's name, not a way out of the store.
bool is_digest(const std::string& digest) {
    constexpr std::string_view start = "sha256:";
    return digest.starts_with(start) && digest.size() == start.size() + 64 &&
           digest.find_first_not_of("0123456789abcdef", start.size()) == std::string::npos;
}

/// Where the weights of a manifest lie; malformed, not_found, unsupported with the sentence.
Result<fs::path> weights_of(const Manifest& manifest, const fs::path& models, const std::string& name) {
    VITRINE_ASSIGN(const std::string text, read_text(manifest.path, largest_manifest));
    VITRINE_ASSIGN(const Json json, parse_json(text, manifest.path.string()));
    const auto layers = json.find("layers");
    const Json* weights = nullptr;
    if (json.is_object() && layers != json.end() && layers->is_array())
        for (const Json& layer : *layers) {
            const std::string type = layer.is_object() ? layer.value("mediaType", Json()).dump() : "";
            if (type.ends_with("image.adapter\""))
                return fail(Code::unsupported,
                            fmt::format("{} has an adapter, which Vitrine does not apply.", name));
            if (type.ends_with("image.model\"") && weights == nullptr) weights = &layer;
        }
    const Json digest = weights != nullptr ? weights->value("digest", Json()) : Json();
    if (!digest.is_string() || !is_digest(digest.get<std::string>()))
        return fail(Code::malformed, fmt::format("{} names no weights.", manifest.path.string()));
    std::string file = digest.get<std::string>();
    std::error_code ignored;
    if (!fs::exists(models / "blobs" / file, ignored)) file.replace(file.find(':'), 1, "-");
    const fs::path path = models / "blobs" / file;
    if (!fs::is_regular_file(path, ignored))
        return fail(Code::not_found, fmt::format("The weights of {} are not in its store ({} is missing).",
                                                 name, path.string()));
    const Json size = weights->value("size", Json());
    const auto bytes = fs::file_size(path, ignored);
    if (size.is_number_unsigned() && size.get<std::uint64_t>() != bytes)
        return fail(Code::malformed, fmt::format("{} is not whole: it has {} of {} bytes.", path.string(),
                                                 bytes, size.get<std::uint64_t>()));
    return path;
}

} // namespace

Found read_ollama(const fs::path& models) {
    Found found;
    std::vector<Manifest> manifests;
    std::error_code ignored;
    if (fs::exists(models / "manifests", ignored))
        find_manifests(models / "manifests", {}, manifests, found.problem);
    std::map<std::string, int> count;
    for (const Manifest& manifest : manifests)
        ++count[name_of(manifest, false)];
    for (const Manifest& manifest : manifests) {
        Entry entry;
        entry.name = name_of(manifest, count[name_of(manifest, false)] > 1);
        const auto path = weights_of(manifest, models, entry.name);
        entry.path = path ? *path : manifest.path;
        if (!path) entry.problem = path.error().message;
        found.entries.push_back(std::move(entry));
    }
    return found;
}

} // namespace vitrine::catalogue
