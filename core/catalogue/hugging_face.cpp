#include <algorithm>
#include <optional>
#include <system_error>

#include <fmt/format.h>

#include "core/base/mapped_file.h"
#include "core/catalogue/stores.h"

namespace vitrine::catalogue {

namespace {

namespace fs = std::filesystem;

constexpr std::size_t longest_reference = 1000;
constexpr std::size_t shown_revision = 12; ///< letters of a revision in a name

/// "ORG/NAME" of models--ORG--NAME; nothing for data sets and other folders.
std::optional<std::string> name_of(const std::string& folder) {
    constexpr std::string_view start = "models--";
    if (!folder.starts_with(start)) return std::nullopt;
    std::string name = folder.substr(start.size());
    const std::size_t dashes = name.find("--");
    if (dashes != std::string::npos) name.replace(dashes, 2, "/");
    return name.empty() ? std::nullopt : std::optional(name);
}

/// The snapshot that a branch refers to; empty if there is no such branch.
std::string revision_of(const fs::path& repository, const char* branch) {
    auto text = read_text(repository / "refs" / branch, longest_reference);
    if (!text) return {};
    while (!text->empty() && (text->back() == '\n' || text->back() == '\r' || text->back() == ' '))
        text->pop_back();
    // A name of a folder, not a way out of the store.
    return text->find('/') == std::string::npos && *text != ".." ? *text : std::string();
}

std::size_t unfinished_in(const fs::path& repository) {
    std::string ignored;
    const auto blobs = entries_of(repository / "blobs", ignored);
    return static_cast<std::size_t>(std::count_if(
        blobs.begin(), blobs.end(), [](const fs::path& path) { return path.extension() == ".incomplete"; }));
}

Entry broken(const fs::path& path, const std::string& name, std::string problem) {
    Entry entry;
    entry.name = name;
    entry.path = path;
    entry.problem = std::move(problem);
    return entry;
}

void add_snapshot(std::vector<Entry>& entries, const fs::path& repository, const fs::path& snapshot,
                  const std::string& name) {
    auto models = models_in(snapshot, name);
    const std::size_t unfinished = unfinished_in(repository);
    const std::string halfway =
        fmt::format("The download of {} has not finished ({} files *.incomplete).", name, unfinished);
    // Repositories of tokenizers and the like are no models.
    if (models.empty() && unfinished > 0) models.push_back(broken(snapshot, name, halfway));
    for (Entry& model : models) {
        if (!model.problem.empty() && unfinished > 0) model.problem = halfway;
        entries.push_back(std::move(model));
    }
}

void add_repository(std::vector<Entry>& entries, const fs::path& repository, const std::string& name) {
    std::string problem;
    std::error_code ignored;
    std::vector<fs::path> snapshots;
    if (fs::exists(repository / "snapshots", ignored))
        snapshots = entries_of(repository / "snapshots", problem);
    std::erase_if(snapshots, [](const fs::path& path) {
        std::error_code unread;
        return !fs::is_directory(path, unread);
    });
    const std::string main = revision_of(repository, "main");
    if (problem.empty() && snapshots.empty())
        problem = unfinished_in(repository) > 0
                      ? fmt::format("The download of {} has not finished.", name)
                      : fmt::format("{} holds no snapshot of the model.", repository.string());
    const bool main_is_there = std::any_of(snapshots.begin(), snapshots.end(), [&](const fs::path& path) {
        return path.filename().string() == main;
    });
    if (problem.empty() && !main.empty() && !main_is_there)
        problem = fmt::format("{} refers to a snapshot that is not there.",
                              (repository / "refs" / "main").string());
    if (!problem.empty()) entries.push_back(broken(repository, name, std::move(problem)));
    for (const fs::path& snapshot : snapshots) {
        const std::string revision = snapshot.filename().string();
        const bool plain = revision == main || (main.empty() && snapshots.size() == 1);
        add_snapshot(entries, repository, snapshot,
                     plain ? name : fmt::format("{}@{}", name, revision.substr(0, shown_revision)));
    }
}

} // namespace

Found read_hugging_face(const fs::path& hub) {
    Found found;
    for (const fs::path& repository : entries_of(hub, found.problem))
        if (const auto name = name_of(repository.filename().string()))
            add_repository(found.entries, repository, *name);
    return found;
}

} // namespace vitrine::catalogue
