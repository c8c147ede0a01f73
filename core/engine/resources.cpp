#include "core/engine/resources.h"

#include <cstdlib>
#include <vector>

namespace vitrine::engine {

namespace fs = std::filesystem;

Result<fs::path> resources_folder() {
    std::vector<fs::path> places;
    if (const char* set = std::getenv("VITRINE_RESOURCES"); set != nullptr) places.emplace_back(set);
    std::error_code ignored;
    const fs::path program = fs::read_symlink("/proc/self/exe", ignored).parent_path();
    places.push_back(program.parent_path() / "share" / "vitrine");
    // In the build tree the program lies somewhere below the source tree: build/release/bin, build/dev/tests,
    // …
    for (fs::path folder = program; folder.has_relative_path(); folder = folder.parent_path())
        places.push_back(folder / "resources");
    for (const fs::path& place : places)
        if (fs::is_directory(place / "models", ignored)) return place;
    return fail(Code::not_found,
                "The folder with the default model was not found; set VITRINE_RESOURCES to the "
                "resources folder of Vitrine.");
}

fs::path cache_folder() {
    if (const char* set = std::getenv("XDG_CACHE_HOME"); set != nullptr && *set != '\0')
        return fs::path(set) / "vitrine";
    if (const char* home = std::getenv("HOME"); home != nullptr) return fs::path(home) / ".cache" / "vitrine";
    return fs::temp_directory_path() / "vitrine";
}

} // namespace vitrine::engine
