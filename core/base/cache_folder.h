#pragma once
// What may be worked out again but takes time: kept between starts where there is a place, without a word
// where there is none.
#include <filesystem>
#include <string_view>

namespace vitrine {

/// $XDG_CACHE_HOME/vitrine, by default ~/.cache/vitrine; empty where neither is an absolute path. It need not
/// exist.
std::filesystem::path cache_folder();

/// Writes a file, with its folders, so that a reader sees all of it or nothing. A folder that is read-only or
/// full costs time at the next start and is no error.
void write_cache(const std::filesystem::path& file, std::string_view bytes);

} // namespace vitrine
