#pragma once
#include <string>

namespace vitrine::session {

/// The time in UTC as the journal writes it: "2026-11-23T05:49:25.123Z".
std::string utc_now();

} // namespace vitrine::session
