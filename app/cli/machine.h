#pragma once
#include "core/base/json.h"

namespace vitrine::cli {

/// {"cpu", "cores", "threads", "memory_bytes", "system"} of this machine; threads as --threads gives them (0:
/// all).
Json machine_document(int threads);

} // namespace vitrine::cli
