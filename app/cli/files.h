#pragma once
#include <filesystem>

#include "core/base/result.h"

namespace vitrine::cli {

/// Whether a file could be written there, looked at before the work starts: io if the folder is missing or
/// cannot be written, or if the name is that of a folder or a device. Leaves nothing behind.
Status check_output(const std::filesystem::path& file);

} // namespace vitrine::cli
