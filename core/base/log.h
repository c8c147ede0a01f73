#pragma once
// The program's log goes to standard error through spdlog; `quiet` silences it.
#include <spdlog/spdlog.h>

namespace vitrine {

/// Warnings and worse to standard error; nothing at all with `quiet`.
void set_up_log(bool quiet);

} // namespace vitrine
