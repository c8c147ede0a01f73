#pragma once
#include "core/base/cancel.h"

namespace vitrine::cli {

/// Progress on one line of standard error that is written over; nothing if that is no terminal, and nothing
/// in the first 0.3 seconds.
Progress progress_line();

/// Empties the line before something else is printed.
void clear_progress_line();

} // namespace vitrine::cli
