#include "core/base/cache_folder.h"

#include <cstdlib>
#include <fstream>
#include <system_error>

#include <unistd.h>

#include <fmt/format.h>

namespace vitrine {

namespace {

namespace fs = std::filesystem;

/// A variable's value as an absolute path; relative ones do not count (the XDG rule).
fs::path absolute_path(const char* variable) {
    const char* const value = std::getenv(variable);
    const fs::path path = value != nullptr ? value : "";
    return path.is_absolute() ? path : fs::path();
}

} // namespace

fs::path cache_folder() {
    if (const fs::path cache = absolute_path("XDG_CACHE_HOME"); !cache.empty()) return cache / "vitrine";
    if (const fs::path home = absolute_path("HOME"); !home.empty()) return home / ".cache" / "vitrine";
    return {};
}

void write_cache(const fs::path& file, std::string_view bytes) {
    std::error_code ignored;
    fs::create_directories(file.parent_path(), ignored);
    const fs::path draft = fmt::format("{}.{}", file.string(), ::getpid());
    std::ofstream out(draft, std::ios::binary);
    out.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
    out.close();
    std::error_code failed;
    if (out) fs::rename(draft, file, failed);
    if (!out || failed) fs::remove(draft, ignored);
}

} // namespace vitrine
