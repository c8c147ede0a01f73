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

} // namespace vitrine::engine
