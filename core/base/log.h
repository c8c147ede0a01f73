#pragma once
// The program's log goes to standard error through spdlog; `quiet` silences it.
#include <string>

#include <spdlog/spdlog.h>

namespace vitrine {

/// Warnings and worse to standard error; nothing at all with `quiet`.
void set_up_log(bool quiet);

/// One sentence that does not end what is done.
void warn(const std::string& sentence);

} // namespace vitrine
