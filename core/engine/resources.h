#pragma once
#include <filesystem>

#include "core/base/result.h"

namespace vitrine::engine {

/// The folder with the default model: $VITRINE_RESOURCES, beside the program (../share/vitrine), or
/// resources/ of the source tree that the program was built in. not_found if there is none.
Result<std::filesystem::path> resources_folder();

} // namespace vitrine::engine
