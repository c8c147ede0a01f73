#pragma once
// Making files survive a power cut: what was published is complete, what was not has a temporary name.
#include <filesystem>

#include "core/base/result.h"

namespace vitrine::store {

/// Flushes a file or a folder's list of names to the disk; io on failure.
Status sync_path(const std::filesystem::path& path);

/// Flushes `temporary`, gives it its final name (replacing a file of that name) and flushes the folder.
/// On failure `temporary` is still there or gone, `final_name` is as before or complete.
Status publish(const std::filesystem::path& temporary, const std::filesystem::path& final_name);

/// `final_name` with the process id and ".tmp": two programs that write the same file do not meet.
std::filesystem::path temporary_name(const std::filesystem::path& final_name);

/// The folder a file is in; "." for a bare name.
std::filesystem::path folder_of(const std::filesystem::path& file);

} // namespace vitrine::store
